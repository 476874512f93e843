"""Which types Google's own files are exported to, and which are made into them."""

from collections.abc import Mapping

from standins.gdrive.native import DOCUMENT, DRAWING, PRESENTATION, SPREADSHEET

MARKDOWN, PLAIN, HTML = "text/markdown", "text/plain", "text/html"
CSV, TSV = "text/csv", "text/tab-separated-values"
PDF, PNG, SVG = "application/pdf", "image/png", "image/svg+xml"
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = f"{_OFFICE}wordprocessingml.document"
XLSX = f"{_OFFICE}spreadsheetml.sheet"
PPTX = f"{_OFFICE}presentationml.presentation"
NAMES = {
    MARKDOWN: "markdown",
    PLAIN: "txt",
    HTML: "html",
    CSV: "csv",
    TSV: "tsv",
    PDF: "pdf",
    PNG: "png",
    SVG: "svg",
    DOCX: "docx",
    XLSX: "xlsx",
    PPTX: "pptx",
}
EXPORTS: Mapping[str, tuple[str, ...]] = {
    DOCUMENT: (HTML, PDF, MARKDOWN, DOCX, PLAIN),
    SPREADSHEET: (TSV, PDF, XLSX, CSV),
    PRESENTATION: (PDF, PPTX, PLAIN),
    DRAWING: (SVG, PNG, PDF),
}
IMPORTS: Mapping[str, tuple[str, ...]] = {
    MARKDOWN: (DOCUMENT,),
    PLAIN: (DOCUMENT,),
    HTML: (DOCUMENT,),
    DOCX: (DOCUMENT,),
    CSV: (SPREADSHEET,),
    TSV: (SPREADSHEET,),
    XLSX: (SPREADSHEET,),
    PPTX: (PRESENTATION,),
}
LARGEST = {DOCUMENT: 50 * 2**20, SPREADSHEET: 100 * 2**20, PRESENTATION: 100 * 2**20, DRAWING: 2 * 2**20}
