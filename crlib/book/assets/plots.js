// Draws each figure when it comes near the screen. A figure's data stand in the page itself;
// plotly.min.js lies beside this file and is loaded once, on pages that have figures.
(() => {
  "use strict";
  const here = document.currentScript.src;
  let library;

  const plotly = () => {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL("plotly.min.js", here).href;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => reject(new Error("plotly.min.js could not be loaded"));
      document.head.append(script);
    });
    return library;
  };

  const read = (figure, part) => {
    const script = figure.querySelector(`script.crlib-plot-${part}`);
    return script && { value: JSON.parse(script.textContent), file: script.dataset.file };
  };

  const narrowed = (layout, width) => {
    if (width >= 560) return layout;
    const margin = { ...layout.margin, l: 48, r: 8 };
    return { ...layout, margin, font: { ...layout.font, size: 11 } };
  };

  const draw = async (figure) => {
    if (figure.dataset.state) return;
    figure.dataset.state = "drawing";
    const area = figure.querySelector(".crlib-plot-area");
    try {
      const { data, layout } = read(figure, "json").value;
      const Plotly = await plotly();
      const options = { responsive: true, displaylogo: false, plotlyServerURL: "" };
      const fitted = { ...narrowed(layout, area.clientWidth), autosize: true };
      delete fitted.width;
      if (fitted.height) area.style.height = `${fitted.height}px`;
      await Plotly.newPlot(area, data, fitted, options);
      figure.dataset.state = "drawn";
    } catch (error) {
      figure.dataset.state = "failed";
      area.textContent = "This figure could not be drawn; its data are below.";
      console.error(error);
    }
  };

  const offerData = (figure) => {
    const table = read(figure, "csv");
    if (!table) return;
    const link = document.createElement("a");
    link.className = "crlib-plot-data";
    link.download = table.file;
    link.textContent = "Data (CSV)";
    link.href = URL.createObjectURL(new Blob([table.value], { type: "text/csv" }));
    figure.append(link);
  };

  const start = () => {
    const figures = [...document.querySelectorAll("figure.crlib-plot")];
    const watch = new IntersectionObserver(
      (entries) => entries.filter((e) => e.isIntersecting).forEach((e) => draw(e.target)),
      { rootMargin: "600px" },
    );
    figures.forEach((figure) => {
      offerData(figure);
      watch.observe(figure);
    });
    window.addEventListener("beforeprint", () => figures.forEach(draw));
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
