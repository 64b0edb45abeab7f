//! Textual form.
