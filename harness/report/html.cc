// One file: style with light and dark colours, tables that scroll inside themselves on a phone and
// sort on a tap, figures as inline SVG. Tested for escaping and for the absence of anything
// fetched.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/report.h"
#include "harness/report/figures.h"

namespace smallmind::harness {
namespace {

constexpr const char* kStyle = R"css(
:root{--bg:#fff;--card:#fff;--fg:#1b1f24;--dim:#5b6470;--line:#d5dae0;--head:#f3f5f7;--good:#00664f;--bad:#a3320b;--flag:#7a5200;--flagbg:#fff4d6;--link:#0b5cad}
@media(prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1a1e22;--fg:#e4e7ea;--dim:#9aa4af;--line:#343b43;--head:#1e2328;--good:#5fd3b4;--bad:#ff9d73;--flag:#ffcf6b;--flagbg:#332a12;--link:#7cb7ff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:78rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}
h2{font-size:1.25rem;line-height:1.3;margin:2.2rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--line)}
p,li{max-width:46rem;overflow-wrap:anywhere}
ul{padding-left:1.3rem}li{margin:.2rem 0}
.dim{color:var(--dim)}.good{color:var(--good)}.bad{color:var(--bad)}.flag{color:var(--flag)}
p.flag{background:var(--flagbg);padding:.45rem .75rem;border-radius:.4rem;margin:.4rem 0}
nav{display:flex;flex-wrap:wrap;gap:.35rem;font-size:.85rem}
nav a{padding:.2rem .6rem;border:1px solid var(--line);border-radius:1rem;text-decoration:none}
nav a:hover{background:var(--head)}
a{color:var(--link)}
.scroll{overflow-x:auto;margin:.5rem 0 1rem;border:1px solid var(--line);border-radius:.4rem}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums;width:100%}
.caption{color:var(--dim);font-size:.9rem;margin:1rem 0 .3rem}
details{margin:.6rem 0 1rem}
summary{cursor:pointer;color:var(--dim);font-size:.9rem;max-width:46rem;padding:.2rem 0}
summary b{color:var(--link);font-weight:400}
th,td{padding:.3rem .55rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{background:var(--head);white-space:nowrap}
th button{all:unset;cursor:pointer;font:inherit;font-weight:600}
th button:focus-visible,summary:focus-visible{outline:2px solid var(--link)}
th[aria-sort=ascending] button::after{content:" \25b4"}th[aria-sort=descending] button::after{content:" \25be"}
.n{text-align:right;white-space:nowrap}
.t{min-width:7.5rem}
td:first-child,th:first-child{position:sticky;left:0;background:var(--bg);z-index:1}
th:first-child{background:var(--head)}
td:first-child{min-width:5.5rem;max-width:14rem;overflow-wrap:break-word}
tr:last-child td{border-bottom:0}
td[title]{cursor:help}
figure{margin:1rem 0;background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.5rem}
figure svg{max-width:100%;height:auto;display:block;margin:0 auto}
figure svg text{font-family:"DejaVu Sans",Verdana,system-ui,sans-serif!important}
.narrow{display:none}
code{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.92em;overflow-wrap:anywhere}
@media(max-width:40rem){body{font-size:15px}main{padding:.7rem}table{font-size:.8rem}td:first-child{max-width:8rem}figure{padding:.25rem}.both .wide{display:none}.both .narrow{display:block}figure:not(.both){overflow-x:auto}figure:not(.both) svg{max-width:none;width:46rem}}
@media print{.scroll{overflow:visible}}
)css";

// Sorts on a tap of a heading: numbers by data-k, texts by locale; empty keys last.
constexpr const char* kScript = R"js(
document.querySelectorAll('table').forEach(function(t){
  t.querySelectorAll('th button').forEach(function(b,i){
    b.addEventListener('click',function(){
      var th=b.parentNode,up=th.getAttribute('aria-sort')!=='ascending',body=t.tBodies[0];
      t.querySelectorAll('th').forEach(function(h){h.removeAttribute('aria-sort')});
      th.setAttribute('aria-sort',up?'ascending':'descending');
      Array.from(body.rows).sort(function(x,y){
        var a=x.cells[i],c=y.cells[i],p=a.dataset.k,q=c.dataset.k;
        if(p!==undefined||q!==undefined){
          if(p===undefined)return 1;if(q===undefined)return -1;
          return (up?1:-1)*(p-q);
        }
        return (up?1:-1)*a.textContent.localeCompare(c.textContent,undefined,{numeric:true});
      }).forEach(function(r){body.appendChild(r)});
    });
  });
});
)js";

// Cells longer than this are given room before their column shrinks.
constexpr size_t kLongText = 16;

std::string Escape(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Escaped, with `code` between backticks.
std::string Inline(const std::string& text) {
  std::string out;
  bool code = false;
  std::string part;
  const auto flush = [&] {
    out += code ? "<code>" + Escape(part) + "</code>" : Escape(part);
    part.clear();
  };
  for (char c : text) {
    if (c != '`') {
      part += c;
      continue;
    }
    flush();
    code = !code;
  }
  flush();
  return out;
}

const char* Class(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return "good";
    case Tone::kBad:
      return "bad";
    case Tone::kFlag:
      return "flag";
    case Tone::kDim:
      return "dim";
    case Tone::kPlain:
      return "";
  }
  return "";
}

struct HtmlWriter {
  const std::map<std::string, std::string>& figures;
  std::ostringstream out;

  void operator()(const DocParagraph& p) {
    out << "<p" << (p.tone == Tone::kPlain ? "" : std::string(" class=\"") + Class(p.tone) + "\"")
        << ">" << Inline(p.text) << "</p>\n";
  }
  void operator()(const DocList& list) {
    out << "<ul>\n";
    for (const std::string& item : list.items) out << "<li>" << Inline(item) << "</li>\n";
    out << "</ul>\n";
  }
  void operator()(const DocFigure& figure) {
    const auto wide = figures.find(figure.name), narrow = figures.find(figure.name + ".phone");
    if (wide == figures.end()) return;
    out << "<figure" << (narrow == figures.end() ? "" : " class=\"both\"")
        << " role=\"img\" aria-label=\"" << Escape(figure.caption) << "\"><div class=\"wide\">"
        << InlineSvg(figure.name, wide->second) << "</div>";
    if (narrow != figures.end()) {
      out << "<div class=\"narrow\">" << InlineSvg(figure.name + "-phone", narrow->second)
          << "</div>";
    }
    out << "</figure>\n";
  }
  void operator()(const DocTable& table) {
    if (table.rows.empty()) return;
    if (table.folded) {
      out << "<details><summary>" << Inline(table.caption) << " <b>" << table.rows.size()
          << " rows</b></summary>";
    } else if (!table.caption.empty()) {
      out << "<p class=\"caption\">" << Inline(table.caption) << "</p>";
    }
    out << "<div class=\"scroll\" tabindex=\"0\"><table>";
    out << "<thead><tr>";
    for (const DocColumn& c : table.columns) {
      out << (c.numeric ? "<th class=\"n\">" : "<th>") << "<button type=\"button\">"
          << Escape(c.title) << "</button></th>";
    }
    out << "</tr></thead>\n<tbody>\n";
    for (const auto& row : table.rows) {
      out << "<tr>";
      for (size_t i = 0; i < row.size(); ++i) {
        const DocCell& cell = row[i];
        std::string classes = i < table.columns.size() && table.columns[i].numeric ? "n"
                              : cell.text.size() > kLongText                       ? "t"
                                                                                   : "";
        if (cell.tone != Tone::kPlain)
          classes += (classes.empty() ? "" : " ") + std::string(Class(cell.tone));
        out << "<td";
        if (!classes.empty()) out << " class=\"" << classes << "\"";
        if (cell.has_key && cell.sort_key == cell.sort_key)
          out << " data-k=\"" << cell.sort_key << "\"";
        if (!cell.hint.empty()) out << " title=\"" << Escape(cell.hint) << "\"";
        out << ">" << Inline(cell.text) << "</td>";
      }
      out << "</tr>\n";
    }
    out << "</tbody></table></div>" << (table.folded ? "</details>\n" : "\n");
  }
};

}  // namespace

std::string RenderHtml(const Document& document,
                       const std::map<std::string, std::string>& figures) {
  HtmlWriter writer{figures, {}};
  std::ostringstream& out = writer.out;
  out.precision(12);
  out << "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      << "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      << "<meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">"
      << "<title>" << Escape(document.title) << "</title><style>" << FigureStyle() << kStyle
      << "</style></head>\n<body><main>\n<h1>" << Escape(document.title) << "</h1>\n";
  if (!document.subtitle.empty())
    out << "<p class=\"dim\">" << Inline(document.subtitle) << "</p>\n";
  out << "<nav>";
  for (const DocSection& s : document.sections) {
    out << "<a href=\"#" << Escape(s.id) << "\">"
        << Escape(s.short_title.empty() ? s.title : s.short_title) << "</a>";
  }
  out << "</nav>\n";
  for (const DocSection& s : document.sections) {
    out << "<section id=\"" << Escape(s.id) << "\"><h2>" << Escape(s.title) << "</h2>\n";
    for (const DocBlock& block : s.blocks) Visit(writer, block);
    out << "</section>\n";
  }
  out << "</main><script>" << kScript << "</script></body></html>\n";
  return out.str();
}

std::map<std::string, std::string> LoadFigures(const std::string& directory) {
  namespace fs = std::filesystem;
  std::map<std::string, std::string> figures;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fs::path(directory) / "plots", error)) {
    if (entry.path().extension() != ".svg") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    figures[entry.path().stem().string()] = text.str();
  }
  return figures;
}

}  // namespace smallmind::harness
