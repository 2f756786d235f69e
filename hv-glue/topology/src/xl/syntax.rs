//! The syntax of xl's configuration files: `KEY=VALUE`, with strings, numbers and
//! nested lists. xl.cfg(5), "SYNTAX".

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::{self, Vec};

use core::iter::Peekable;
use core::str::Chars;

/// A value and the line that it starts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) line: usize,
    pub(super) kind: ValueKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// A string without its quotes, or a number's digits.
    Text(String),
    List(Vec<Value>),
}

/// One `KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) line: usize,
    pub(super) key: String,
    /// For `+=`, what is added to the value so far.
    pub(super) adds: bool,
    pub(super) value: Value,
}

/// A line, and what is wrong on it.
pub(super) type SyntaxError = (usize, String);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Number(String),
    Mark(char),
    /// "+=".
    Adds,
    NewLine,
}

impl Token {
    fn name(&self) -> String {
        match self {
            Self::Word(text) | Self::Number(text) => format!("\"{text}\""),
            Self::Text(_) => "a string".to_owned(),
            Self::Mark(mark) => format!("\"{mark}\""),
            Self::Adds => "\"+=\"".to_owned(),
            Self::NewLine => "the end of the line".to_owned(),
        }
    }
}

/// Reads a whole file.
pub(super) fn parse(text: &str) -> Result<Vec<Setting>, SyntaxError> {
    let tokens = tokens(text)?;
    let last = tokens.last().map_or(1, |(line, _)| *line);
    let mut reader = Reader { tokens: tokens.into_iter().peekable(), line: last };
    let mut settings = Vec::new();
    while let Some((line, token)) = reader.next() {
        match token {
            Token::NewLine | Token::Mark(';') => {}
            Token::Word(key) => {
                settings.push(reader.setting(line, key)?);
                match reader.next() {
                    None | Some((_, Token::NewLine | Token::Mark(';'))) => {}
                    Some((line, other)) => {
                        let what = format!(
                            "{} behind a value: a new line or \";\" is right",
                            other.name()
                        );
                        return Err((line, what));
                    }
                }
            }
            other => return Err((line, format!("{} where a key is right", other.name()))),
        }
    }
    Ok(settings)
}

struct Reader {
    tokens: Peekable<vec::IntoIter<(usize, Token)>>,
    /// The last line, for what is missing there.
    line: usize,
}

impl Reader {
    fn next(&mut self) -> Option<(usize, Token)> {
        self.tokens.next()
    }

    fn setting(&mut self, line: usize, key: String) -> Result<Setting, SyntaxError> {
        let adds = match self.next() {
            Some((_, Token::Mark('='))) => false,
            Some((_, Token::Adds)) => true,
            other => {
                let found = other.map_or("nothing".to_owned(), |(_, token)| token.name());
                return Err((line, format!("{found} behind the key {key}: \"=\" is right")));
            }
        };
        let value = self.value()?;
        Ok(Setting { line, key, adds, value })
    }

    fn skip_new_lines(&mut self) {
        while self.tokens.next_if(|(_, token)| *token == Token::NewLine).is_some() {}
    }

    fn value(&mut self) -> Result<Value, SyntaxError> {
        match self.next() {
            Some((line, Token::Text(text) | Token::Number(text))) => {
                Ok(Value { line, kind: ValueKind::Text(text) })
            }
            Some((line, Token::Mark('['))) => {
                let values = self.list(line)?;
                Ok(Value { line, kind: ValueKind::List(values) })
            }
            Some((line, other)) => {
                let what = format!("{}: a string, a number or a list is right", other.name());
                Err((line, what))
            }
            None => Err((self.line, "the file ends before a value".to_owned())),
        }
    }

    /// What stands behind "[", up to its "]".
    fn list(&mut self, opened: usize) -> Result<Vec<Value>, SyntaxError> {
        let unclosed = || (opened, "a list without its \"]\"".to_owned());
        let mut values = Vec::new();
        loop {
            self.skip_new_lines();
            if self.tokens.next_if(|(_, token)| *token == Token::Mark(']')).is_some() {
                return Ok(values);
            }
            if self.tokens.peek().is_none() {
                return Err(unclosed());
            }
            values.push(self.value()?);
            self.skip_new_lines();
            match self.next() {
                Some((_, Token::Mark(','))) => {}
                Some((_, Token::Mark(']'))) => return Ok(values),
                Some((line, other)) => {
                    let what = format!("{} in a list: \",\" or \"]\" is right", other.name());
                    return Err((line, what));
                }
                None => return Err(unclosed()),
            }
        }
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut line = 1_usize;
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        let token = match first {
            ' ' | '\t' | '\r' => continue,
            '#' => {
                while chars.next_if(|c| *c != '\n').is_some() {}
                continue;
            }
            '\n' => {
                tokens.push((line, Token::NewLine));
                line = line.saturating_add(1);
                continue;
            }
            '"' | '\'' => Token::Text(string(first, &mut chars).map_err(|what| (line, what))?),
            ',' | '[' | ']' | '=' | ';' => Token::Mark(first),
            '+' if chars.next_if_eq(&'=').is_some() => Token::Adds,
            'a'..='z' | 'A'..='Z' => Token::Word(run(first, &mut chars)),
            '0'..='9' => Token::Number(run(first, &mut chars)),
            other => {
                return Err((line, format!("{other:?}: a key, a value or \"#\" is right")));
            }
        };
        tokens.push((line, token));
    }
    Ok(tokens)
}

fn run(first: char, chars: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::from(first);
    while let Some(next) = chars.next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')) {
        word.push(next);
    }
    word
}

fn string(quote: char, chars: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let unclosed = || format!("a string without its second {quote}");
    let mut text = String::new();
    loop {
        match chars.next_if(|c| *c != '\n').ok_or_else(unclosed)? {
            end if end == quote => return Ok(text),
            // Nothing that is read here has use for more than the character itself.
            '\\' => text.push(chars.next_if(|c| *c != '\n').ok_or_else(unclosed)?),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn text(line: usize, text: &str) -> Value {
        Value { line, kind: ValueKind::Text(text.to_owned()) }
    }

    #[test]
    fn reads_the_forms_of_the_manual() {
        let settings = parse(
            "name=\"h0\" ; type='pvh' # a comment\n\nvcpus = 0x8\ncpus = [\"2\",\n  \"3-8,^5\",\n]\nextra+=\"a'b\"",
        )
        .unwrap();
        let keys: Vec<_> = settings.iter().map(|s| (s.line, s.key.as_str(), s.adds)).collect();
        assert_eq!(
            keys,
            [
                (1, "name", false),
                (1, "type", false),
                (3, "vcpus", false),
                (4, "cpus", false),
                (7, "extra", true)
            ]
        );
        assert_eq!(settings[2].value, text(3, "0x8"));
        assert_eq!(settings[3].value.kind, ValueKind::List(vec![text(4, "2"), text(5, "3-8,^5")]));
        assert_eq!(settings[4].value, text(7, "a'b"));
    }

    #[test]
    fn names_the_line_of_what_is_wrong() {
        for (input, line, part) in [
            ("a=1\n=2", 2, "where a key"),
            ("a=1 b=2", 1, "behind a value"),
            ("a\n=2", 1, "\"=\" is right"),
            ("a=\n", 1, "a string, a number or a list"),
            ("a=1\nb=", 2, "ends before a value"),
            ("a=\"x\nb=1", 1, "without its second"),
            ("\na=[1,\n2\n", 2, "without its \"]\""),
            ("a=[1\n2]", 2, "in a list"),
            ("a=[1;2]", 1, "in a list"),
            ("a=[,]", 1, "a string, a number or a list"),
            ("a=$b", 1, "'$'"),
            ("a", 1, "nothing behind the key"),
        ] {
            let (at, what) = parse(input).unwrap_err();
            assert_eq!(at, line, "{input:?}: {what}");
            assert!(what.contains(part), "{input:?}: {what}");
        }
    }
}
