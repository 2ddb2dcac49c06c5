// Draws the book's plotly figures when they come into view; plotly.js itself is loaded once, from this site.
(function () {
  "use strict";
  const here = document.currentScript.src;
  const library = new URL("vendor/plotly.min.js", here).href;
  let loading = null;

  function plotly() {
    loading = loading || new Promise(function (resolve, reject) {
      const script = document.createElement("script");
      script.src = library;
      script.onload = function () { resolve(window.Plotly); };
      script.onerror = reject;
      document.head.appendChild(script);
    });
    return loading;
  }

  // What neither the figure nor its template says follows the page: colours of its theme, small margins.
  function themed(layout) {
    const style = getComputedStyle(document.body);
    const narrow = document.documentElement.clientWidth < 600;
    const base = (layout.template && layout.template.layout) || {};
    const result = Object.assign({}, layout, { autosize: true });
    delete result.width;
    function fill(name, value) {
      if (base[name] === undefined && result[name] === undefined) { result[name] = value; }
    }
    if (base.paper_bgcolor === undefined && layout.paper_bgcolor === undefined) {
      result.font = Object.assign({ color: style.color, family: style.fontFamily }, layout.font);
    }
    fill("paper_bgcolor", "rgba(0,0,0,0)");
    fill("plot_bgcolor", "rgba(0,0,0,0)");
    fill("margin", { l: 60, r: 10, t: layout.title ? 50 : 15, b: 50 });
    if (narrow) {
      const size = (layout.font && layout.font.size) || (base.font && base.font.size) || 12;
      result.font = Object.assign({}, result.font, { size: Math.min(size, 11) });
    }
    return result;
  }

  async function draw(figure) {
    const box = figure.querySelector(".deepfn-plotly-box");
    const content = JSON.parse(figure.querySelector("script").textContent);
    try {
      const Plotly = await plotly();
      await Plotly.newPlot(box, content.data, themed(content.layout), content.config);
      figure.dataset.drawn = "yes";
    } catch (problem) {
      box.textContent = "This figure could not be drawn: " + problem;
      figure.dataset.drawn = "failed";
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    const figures = document.querySelectorAll("figure.deepfn-plotly");
    if (!("IntersectionObserver" in window)) {
      figures.forEach(draw);
      return;
    }
    const observer = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (entry.isIntersecting) {
          observer.unobserve(entry.target);
          draw(entry.target);
        }
      });
    }, { rootMargin: "600px 0px" });
    figures.forEach(function (figure) { observer.observe(figure); });
  });

  // On paper every figure is wanted.
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("figure.deepfn-plotly:not([data-drawn])").forEach(draw);
  });
})();
