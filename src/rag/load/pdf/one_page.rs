//! One page of a document, as `unpdf`'s reader of texts sees it. It asks for all pages at each one, which for a thick
//! book takes longer than reading it; and it goes down into commands that this looks at first.

use std::collections::BTreeMap;

use unpdf::parser::backend::{
    BackendFontInfo, ContentOp, DecodedRun, DecodedText, ExtGState, FontProgram, GlyphAdvance, PageBox,
    PageContent, PageId, PaintedXObject, PdfBackend, PdfMetadataRaw, RawBackend, RawOutlineItem, RawXObject,
    ResourceScope, Type3Font,
};
use unpdf::{Error, Result};

use super::nesting;

pub(super) struct OnePage<'a> {
    pub(super) document: &'a RawBackend,
    /// From 1.
    pub(super) number: u32,
    pub(super) id: PageId,
}

impl PdfBackend for OnePage<'_> {
    fn pages(&self) -> BTreeMap<u32, PageId> {
        BTreeMap::from([(self.number, self.id)])
    }

    fn page_fonts(&self, scope: ResourceScope) -> Result<Vec<BackendFontInfo>> {
        self.document.page_fonts(scope)
    }

    fn page_content(&self, page: PageId) -> Result<Vec<u8>> {
        self.document.page_content(page)
    }

    fn page_content_with_losses(&self, page: PageId) -> Result<PageContent> {
        self.document.page_content_with_losses(page)
    }

    fn decode_content(&self, data: &[u8]) -> Result<Vec<ContentOp>> {
        if nesting::text_is_too_deep(data) {
            return Err(Error::Other("its commands go deeper than those of any document".to_owned()));
        }
        self.document.decode_content(data)
    }

    fn decode_text(&self, scope: ResourceScope, font_name: &[u8], bytes: &[u8]) -> DecodedText {
        self.document.decode_text(scope, font_name, bytes)
    }

    fn decode_run(&self, scope: ResourceScope, font_name: &[u8], bytes: &[u8]) -> DecodedRun {
        self.document.decode_run(scope, font_name, bytes)
    }

    fn glyph_advances(
        &self,
        scope: ResourceScope,
        font_name: &[u8],
        bytes: &[u8],
    ) -> Option<Vec<GlyphAdvance>> {
        self.document.glyph_advances(scope, font_name, bytes)
    }

    fn is_vertical_font(&self, scope: ResourceScope, font_name: &[u8]) -> bool {
        self.document.is_vertical_font(scope, font_name)
    }

    fn metadata(&self) -> PdfMetadataRaw {
        self.document.metadata()
    }

    fn page_box(&self, page: PageId) -> PageBox {
        self.document.page_box(page)
    }

    fn crop_box(&self, page: PageId) -> PageBox {
        self.document.crop_box(page)
    }

    fn page_rotation(&self, page: PageId) -> u16 {
        self.document.page_rotation(page)
    }

    fn outline(&self) -> Result<Vec<RawOutlineItem>> {
        Ok(Vec::new())
    }

    fn page_xobjects(&self, page: PageId) -> Result<Vec<RawXObject>> {
        self.document.page_xobjects(page)
    }

    fn xobject(&self, scope: ResourceScope, name: &[u8]) -> Option<PaintedXObject> {
        self.document.xobject(scope, name)
    }

    fn ext_gstate(&self, scope: ResourceScope, name: &[u8]) -> Option<ExtGState> {
        self.document.ext_gstate(scope, name)
    }

    fn font_program(&self, scope: ResourceScope, font_name: &[u8]) -> Option<FontProgram> {
        self.document.font_program(scope, font_name)
    }

    fn font_bounds(&self, scope: ResourceScope, font_name: &[u8]) -> Option<PageBox> {
        self.document.font_bounds(scope, font_name)
    }

    fn type3_font(&self, scope: ResourceScope, font_name: &[u8]) -> Option<Type3Font> {
        self.document.type3_font(scope, font_name)
    }
}
