//! Markdown that a client may render as it is: no HTML, and links to web pages, mailboxes and telephones only.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Schemes of links.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// What a text must be; none where it is that.
#[must_use]
pub fn expected_of(text: &str) -> Option<&'static str> {
    parser(text).find_map(|event| match event {
        Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::HtmlBlock) => Some("Markdown without HTML"),
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) if !is_harmless(&dest_url) => {
            Some("links that begin with http:, https:, mailto: or tel:")
        }
        _ => None,
    })
}

/// The first line with text, without Markdown, at most so many characters; empty where there is none.
#[must_use]
pub fn first_line(text: &str, most: usize) -> String {
    let mut line = String::new();
    for event in parser(text) {
        match event {
            Event::Text(part) | Event::Code(part) => line.push_str(&part),
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::CodeBlock)
                if !line.trim().is_empty() =>
            {
                break;
            }
            _ => {}
        }
    }
    let first = line.trim().lines().next().unwrap_or_default();
    first.chars().filter(|c| !c.is_control()).take(most).collect::<String>().trim().to_owned()
}

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS)
}

/// Whether a link leads nowhere a browser would run something: a relative one has no scheme.
fn is_harmless(link: &str) -> bool {
    let bare: String = link.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let Some((scheme, _)) = bare.split_once(':') else { return true };
    scheme.contains(['/', '?', '#']) || SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_with_html_or_a_link_that_runs_something_is_refused() {
        for text in [
            "<b>bold</b>",
            "a <img src=x onerror=alert(1)> b",
            "text\n\n<script>alert(1)</script>",
            "<!-- hidden -->",
            "[a](javascript:alert(1))",
            "[a](JaVaScRiPt:alert(1))",
            "<javascript:alert(1)>",
            "![x](data:text/html;base64,PHNjcmlwdD4=)",
            "[a][b]\n\n[b]: vbscript:x",
        ] {
            assert!(expected_of(text).is_some(), "{text}");
        }
    }

    #[test]
    fn markdown_as_people_write_it_is_taken() {
        for text in [
            "# Visit\n\nWants **500 boxes** if price < 90 and > 80.\n\n- [x] sample sent\n- call สมชาย",
            "`<b>` is code",
            "<https://example.com> and [mail](mailto:a@example.com), [tel](tel:+66812345678), [page](/orders/1?a=b:c)",
            "a <- b -> c, x<y",
            "قیمت ۵٪ کمتر",
        ] {
            assert_eq!(expected_of(text), None, "{text}");
        }
    }

    #[test]
    fn first_line_is_text_without_markdown() {
        for (text, line) in [
            ("# Visit of **Monday**\n\nMore", "Visit of Monday"),
            ("\n\n- [x] sample sent\n- call", "sample sent"),
            ("one\ntwo", "one"),
            ("![](https://example.com/a.png)\n\nBelow", "Below"),
            ("***", ""),
        ] {
            assert_eq!(first_line(text, 200), line, "{text}");
        }
        assert_eq!(first_line(&"ก".repeat(300), 200).chars().count(), 200);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged_and_has_a_short_first_line(text in ".{0,400}") {
            let _ = expected_of(&text);
            proptest::prop_assert!(first_line(&text, 20).chars().count() <= 20);
        }
    }
}
