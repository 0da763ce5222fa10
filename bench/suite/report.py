"""The report: JSON with everything, a text for terminals, a page with plots."""
import html
import json
import os


def text_of(value):
    if value is None:
        return ""
    if isinstance(value, float) and value >= 1000:
        value = round(value)
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)


def as_text(report):
    lines = [f"Hanse {report['commit']}, {report['started']}", *(f"{name}: {value}" for name, value in report["machine"].items()), ""]
    for entry in report["measures"].values():
        table = entry["table"]
        cells = [table["columns"], *([text_of(value) for value in row] for row in table["rows"])]
        widths = [max(len(row[i]) for row in cells) for i in range(len(table["columns"]))]
        lines += [entry["title"], entry["how"]]
        lines += ["  " + "  ".join(cell.rjust(width) if i else cell.ljust(width)
                                   for i, (cell, width) in enumerate(zip(row, widths))) for row in cells]
        lines += ["  " + ratio_line(ratio) for ratio in table["ratios"]] + [""]
    return "\n".join(lines)


def ratio_line(ratio):
    limit = "" if ratio["limit"] is None else \
        f", {'at least' if ratio['better'] == 'higher' else 'at most'} {ratio['limit']}: {'good' if ratio['is_reached'] else 'MISSED'}"
    return f"{ratio['name']}: {ratio['value']:g}{limit} (rounds {', '.join(f'{value:g}' for value in ratio['rounds'])})"


def draw(plot, path):
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, points in plot["lines"].items():
        axes.plot([x for x, _ in points], [y for _, y in points], marker="o", label=name)
    axes.set(title=plot["title"], xlabel=plot["x"], ylabel=plot["y"])
    if plot["is_log"]:
        axes.set_yscale("log")
        if max(x for points in plot["lines"].values() for x, _ in points) > 1000:
            axes.set_xscale("log")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def bars_of(report):
    """One plot of all ratios that have a limit, each as a part of its limit."""
    ratios = [ratio for entry in report["measures"].values() for ratio in entry["table"]["ratios"] if ratio["limit"]]
    if not ratios:
        return None
    return [(ratio["name"], ratio["value"] / ratio["limit"] if ratio["better"] == "higher" else ratio["limit"] / ratio["value"])
            for ratio in ratios]


def draw_bars(bars, path):
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(8, 0.4 * len(bars) + 1.2))
    axes.barh([name for name, _ in bars][::-1], [value for _, value in bars][::-1],
              color=["tab:green" if value >= 1 else "tab:red" for _, value in bars][::-1])
    axes.axvline(1, color="black")
    axes.set(xlabel="times its limit")
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def as_page(report, svgs):
    parts = ["<!doctype html><meta charset=utf-8><title>Hanse, measured</title>",
             "<style>body{font:16px sans-serif;max-width:60em;margin:2em auto;padding:0 1em}td,th{padding:.2em .8em;"
             "text-align:right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}"
             ".missed{color:#b00}svg{max-width:100%;height:auto}</style>",
             f"<h1>Hanse, measured</h1><p>Commit {html.escape(report['commit'])}, {report['started']}</p><ul>"]
    parts += [f"<li>{html.escape(name)}: {html.escape(str(value))}" for name, value in report["machine"].items()]
    parts.append("</ul>")
    parts += svgs.get("", [])
    for name, entry in report["measures"].items():
        table = entry["table"]
        parts.append(f"<h2>{html.escape(entry['title'])}</h2><p>{html.escape(entry['how'])}</p><table><tr>")
        parts += [f"<th>{html.escape(column)}" for column in table["columns"]]
        for row in table["rows"]:
            parts.append("<tr>" + "".join(f"<td>{html.escape(text_of(value))}" for value in row))
        parts.append("</table><ul>")
        parts += [f"<li{' class=missed' if ratio['is_reached'] is False else ''}>{html.escape(ratio_line(ratio))}"
                  for ratio in table["ratios"]]
        parts.append("</ul>")
        parts += svgs.get(name, [])
    return "\n".join(parts)


def write(report, folder):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "report.json"), "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
    with open(os.path.join(folder, "report.txt"), "w", encoding="utf-8") as file:
        file.write(as_text(report))
    svgs, path = {}, os.path.join(folder, "plot.svg")

    def take(name):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        svgs.setdefault(name, []).append(text[text.index("<svg"):])
        os.remove(path)

    bars = bars_of(report)
    if bars:
        draw_bars(bars, path)
        take("")
    for name, entry in report["measures"].items():
        for plot in entry["table"]["plots"]:
            draw(plot, path)
            take(name)
    with open(os.path.join(folder, "report.html"), "w", encoding="utf-8") as file:
        file.write(as_page(report, svgs))
