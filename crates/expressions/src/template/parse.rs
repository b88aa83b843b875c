//! From tokens to the tree: a parser by precedence, of bounded depth.

use potok_core::Name;
use potok_core::expressions::{CompileError, Purpose};
use potok_core::value::Value;

use super::context::Member;
use super::method::{self, Method};
use super::node::{Arithmetic, Comparison, Function, Node};
use super::token::{Token, error, is_prefix};

/// The greatest nesting, chains of operators included.
const MAX_DEPTH: usize = 200;

pub(crate) struct Parser<'a> {
    text: &'a str,
    tokens: &'a [(Token, usize)],
    at: usize,
    /// How deep the parser is.
    depth: usize,
    /// The height of the tree that was parsed last. A chain of operators makes a tall tree without going deep.
    height: usize,
    purpose: Purpose,
    /// `execution` stands alone somewhere. What it was given to says more, and is reported first.
    alone: Option<CompileError>,
}

type Parsed = Result<Node, CompileError>;

impl<'a> Parser<'a> {
    /// Parses all tokens of one `${...}`.
    pub(crate) fn parse(text: &'a str, tokens: &'a [(Token, usize)], purpose: Purpose) -> Parsed {
        let mut parser = Self { text, tokens, at: 0, depth: 0, height: 0, purpose, alone: None };
        if tokens.len() <= 1 {
            return Err(error("there is nothing between `${` and `}`", parser.offset()));
        }
        let node = parser.choice()?;
        match parser.peek() {
            Token::End => parser.alone.map_or(Ok(node), Err),
            Token::Symbol("=") => Err(parser.wrong("`=` assigns nothing here; compare with `==`")),
            _ => Err(parser.wrong("something is missing before this")),
        }
    }

    fn peek(&self) -> &'a Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn offset(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |(_, offset)| *offset)
    }

    fn wrong(&self, message: impl Into<String>) -> CompileError {
        error(message, self.offset())
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(next) if *next == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), CompileError> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.wrong(format!("`{symbol}` is missing here"))) }
    }

    fn deeper(&mut self) -> Result<(), CompileError> {
        self.depth += 1;
        self.limit(self.depth)
    }

    /// The tree now stands on one or more others, the tallest of this height.
    fn taller(&mut self, below: usize) -> Result<(), CompileError> {
        self.height = below + 1;
        self.limit(self.height)
    }

    fn limit(&self, height: usize) -> Result<(), CompileError> {
        if height > MAX_DEPTH {
            return Err(self.wrong("the expression is nested too deeply or has too many operators; split it up"));
        }
        Ok(())
    }

    fn choice(&mut self) -> Parsed {
        let depth = self.depth;
        self.deeper()?;
        let condition = self.binary(0)?;
        let node = if self.symbol("?") {
            let below = self.height;
            let then = self.choice()?;
            let below = below.max(self.height);
            self.expect(":")?;
            let otherwise = self.choice()?;
            self.taller(below.max(self.height))?;
            Node::Choice(Box::new((condition, then, otherwise)))
        } else {
            condition
        };
        self.depth = depth;
        Ok(node)
    }

    /// Operators from a level of precedence on.
    fn binary(&mut self, level: u8) -> Parsed {
        let mut left = self.unary()?;
        while let Token::Symbol(symbol) = *self.peek() {
            let Some(own) = precedence(symbol).filter(|own| *own >= level) else { break };
            self.at += 1;
            let below = self.height;
            let right = self.binary(own + 1)?;
            self.taller(below.max(self.height))?;
            left = combine(symbol, left, right);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let depth = self.depth;
        self.deeper()?;
        let node = if self.symbol("!") {
            Node::Not(Box::new(self.unary()?))
        } else if self.symbol("-") {
            match self.unary()? {
                Node::Constant(Value::Integer(number)) => Node::Constant(Value::Integer(-number)),
                Node::Constant(Value::Number(number)) => Node::Constant(Value::Number(-number)),
                inner => Node::Negate(Box::new(inner)),
            }
        } else if matches!(self.peek(), Token::Identifier(word) if word == "empty") {
            self.at += 1;
            Node::Empty(Box::new(self.unary()?))
        } else {
            let node = self.postfix()?;
            self.depth = depth;
            return Ok(node);
        };
        self.taller(self.height)?;
        self.depth = depth;
        Ok(node)
    }

    fn postfix(&mut self) -> Parsed {
        let start = self.offset();
        let mut node = self.primary()?;
        loop {
            let below = self.height;
            let written = || self.text.get(start..self.offset()).unwrap_or_default().trim().into();
            if matches!(self.peek(), Token::Symbol(".")) {
                let written: Name = written();
                self.at += 1;
                let Token::Identifier(name) = self.peek() else {
                    return Err(self.wrong("after `.` comes a name"));
                };
                let offset = self.offset();
                self.at += 1;
                if self.symbol("(") {
                    let arguments = self.arguments()?;
                    self.taller(below.max(self.height))?;
                    let method = match Method::find(name, arguments.len()) {
                        Some(Ok(method)) => method,
                        Some(Err((least, most))) => {
                            let count = if least == most { least.to_string() } else { format!("{least} or {most}") };
                            return Err(error(format!("`{name}` takes {count} arguments"), offset));
                        }
                        None => {
                            let help = method::instead(name);
                            return Err(error(format!("the method `{name}` is not available; {help}"), offset));
                        }
                    };
                    node = Node::Call { base: Box::new(node), method, arguments, written };
                } else {
                    let index = Box::new(Node::Constant(name.as_str().into()));
                    self.taller(below)?;
                    node = Node::Property { base: Box::new(node), index, written };
                }
            } else if matches!(self.peek(), Token::Symbol("[")) {
                let written: Name = written();
                self.at += 1;
                let index = Box::new(self.choice()?);
                self.expect("]")?;
                self.taller(below.max(self.height))?;
                node = Node::Property { base: Box::new(node), index, written };
            } else {
                return Ok(node);
            }
        }
    }

    fn arguments(&mut self) -> Result<Vec<Node>, CompileError> {
        let mut arguments = Vec::new();
        let mut below = 0;
        if !self.symbol(")") {
            loop {
                arguments.push(self.choice()?);
                below = below.max(self.height);
                if self.symbol(")") {
                    break;
                }
                self.expect(",")?;
            }
        }
        self.taller(below)?;
        Ok(arguments)
    }

    fn primary(&mut self) -> Parsed {
        let offset = self.offset();
        let token = self.peek();
        self.at += 1;
        self.height = 1;
        match token {
            Token::Integer(number) => Ok(Node::Constant(Value::Integer(*number))),
            Token::Float(number) => Ok(Node::Constant(Value::Number(*number))),
            Token::Text(text) => Ok(Node::Constant(text.as_str().into())),
            Token::Symbol("(") => {
                let inner = self.choice()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Identifier(word) => match word.as_str() {
                "true" => Ok(Node::Constant(true.into())),
                "false" => Ok(Node::Constant(false.into())),
                "null" => Ok(Node::Constant(Value::Null)),
                "instanceof" => Err(error("`instanceof` is not available", offset)),
                "execution" | "task" | "delegateTask" | "caseExecution" => self.context(word, offset),
                _ if self.symbol("(") => self.function("", word, offset),
                prefix if matches!(self.peek(), Token::Symbol(":")) && self.is_prefixed() => {
                    self.at += 1;
                    let Token::Identifier(name) = self.peek() else { return Err(self.wrong("a name is missing")) };
                    self.at += 2;
                    self.function(prefix, name, offset)
                }
                _ => Ok(Node::Variable(word.as_str().into())),
            },
            Token::End => Err(error("the expression ends too early", offset)),
            Token::Symbol("?") => Err(error("`?` needs a condition before it", offset)),
            Token::Symbol(symbol) => {
                // `and` is read as `&&`: the message says what is written.
                let rest = self.text.get(offset..).unwrap_or_default();
                let length = rest.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(rest.len());
                let written = if length == 0 { *symbol } else { &rest[..length] };
                Err(error(format!("`{written}` cannot stand here"), offset))
            }
        }
    }

    /// Whether `: name (` follows, which is a function and not a choice.
    fn is_prefixed(&self) -> bool {
        matches!(self.tokens.get(self.at + 1..self.at + 3), Some([(Token::Identifier(_), _), (Token::Symbol("("), _)]))
            && matches!(self.tokens.get(self.at - 1), Some((Token::Identifier(word), _)) if is_prefix(word))
    }

    fn context(&mut self, object: &str, offset: usize) -> Parsed {
        if !self.symbol(".") {
            self.alone.get_or_insert_with(|| {
                let example = format!("${{{object}.getVariable('x')}}");
                error(format!("`{object}` alone is no value; ask for something, e.g. {example}"), offset)
            });
            return Ok(Node::Constant(Value::Null));
        }
        let Token::Identifier(name) = self.peek() else { return Err(self.wrong("after `.` comes a name")) };
        self.at += 1;
        let arguments = if self.symbol("(") { Some(self.arguments()?) } else { None };
        let count = arguments.as_ref().map(Vec::len);
        let task = object != "execution";
        let member = Member::find(task, name, count).ok_or_else(|| {
            let call = if count.is_some() { "()" } else { "" };
            error(
                format!(
                    "`{object}.{name}{call}` is not available; there are getVariable('x'), setVariable('x', value), \
                     hasVariable('x'), getProcessInstanceId(), getProcessBusinessKey(), getCurrentActivityId() and the \
                     variables themselves: ${{x}}"
                ),
                offset,
            )
        })?;
        if member.sets() && !self.purpose.sets_variables() {
            return Err(error(
                "variables can be set only by what an activity runs, not by a condition or a mapping",
                offset,
            ));
        }
        Ok(Node::Context { member, arguments: arguments.unwrap_or_default() })
    }

    fn function(&mut self, prefix: &str, name: &str, offset: usize) -> Parsed {
        let mut arguments = self.arguments()?;
        let of_variables = matches!(prefix, "variables" | "vars" | "var");
        use Comparison as C;
        let (function, least, most) = match (of_variables, prefix, name) {
            (false, "", "now" | "dateTime") => (Function::Now, 0, 0),
            (false, "", "S" | "JSON") => (Function::Json, 1, 1),
            (true, _, "get") => (Function::Get, 1, 1),
            (true, _, "getOrDefault") => (Function::GetOrDefault, 2, 2),
            (true, _, "exists" | "exist") => (Function::Exists, 1, 1),
            (true, _, "isEmpty" | "empty") => (Function::IsEmpty, 1, 1),
            (true, _, "isNotEmpty" | "notEmpty") => (Function::IsNotEmpty, 1, 1),
            (true, _, "equals" | "eq") => (Function::Compare(C::Equal), 2, 2),
            (true, _, "notEquals" | "ne") => (Function::Compare(C::NotEqual), 2, 2),
            (true, _, "lowerThan" | "lessThan" | "lt") => (Function::Compare(C::Less), 2, 2),
            (true, _, "lowerThanOrEquals" | "lessThanOrEquals" | "lte") => (Function::Compare(C::LessOrEqual), 2, 2),
            (true, _, "greaterThan" | "gt") => (Function::Compare(C::Greater), 2, 2),
            (true, _, "greaterThanOrEquals" | "gte") => (Function::Compare(C::GreaterOrEqual), 2, 2),
            (true, _, "contains") => (Function::ContainsAll, 2, 100),
            (true, _, "containsAny") => (Function::ContainsAny, 2, 100),
            (_, _, "currentUser" | "currentUserGroups") => {
                return Err(error(
                    format!(
                        "`{name}()` is not available: nobody is signed in while a process moves; let the starter \
                             give the name as a variable"
                    ),
                    offset,
                ));
            }
            (_, _, "XML") => return Err(error("XML values are not available; give JSON", offset)),
            _ => {
                let full = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}:{name}") };
                return Err(error(
                    format!("there is no function `{full}`; there are now(), dateTime(), S(text) and JSON(text)"),
                    offset,
                ));
            }
        };
        if !(least..=most).contains(&arguments.len()) {
            return Err(error(format!("`{name}` takes {least} arguments"), offset));
        }
        // The first argument is a variable's name, with or without quotes.
        if of_variables && let Some(Node::Variable(name)) = arguments.first() {
            arguments[0] = Node::Constant(Value::String(name.clone()));
        }
        Ok(Node::Function { function, arguments })
    }
}

fn precedence(symbol: &str) -> Option<u8> {
    Some(match symbol {
        "||" => 0,
        "&&" => 1,
        "==" | "!=" => 2,
        "<" | "<=" | ">" | ">=" => 3,
        "+" | "-" => 4,
        "*" | "/" | "%" => 5,
        _ => return None,
    })
}

fn combine(symbol: &str, left: Node, right: Node) -> Node {
    let comparison = match symbol {
        "||" => return Node::Or(Box::new((left, right))),
        "&&" => return Node::And(Box::new((left, right))),
        "+" => return Node::Arithmetic(Arithmetic::Add, Box::new((left, right))),
        "-" => return Node::Arithmetic(Arithmetic::Subtract, Box::new((left, right))),
        "*" => return Node::Arithmetic(Arithmetic::Multiply, Box::new((left, right))),
        "/" => return Node::Arithmetic(Arithmetic::Divide, Box::new((left, right))),
        "%" => return Node::Arithmetic(Arithmetic::Remainder, Box::new((left, right))),
        "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        _ => Comparison::GreaterOrEqual,
    };
    match (&left, &right) {
        (Node::Variable(name), Node::Constant(Value::Integer(number))) => {
            Node::CompareInteger(comparison, name.clone(), *number)
        }
        (Node::Variable(name), Node::Constant(Value::String(text)))
            if matches!(comparison, Comparison::Equal | Comparison::NotEqual) =>
        {
            Node::EqualsText { name: name.clone(), text: text.clone(), equal: comparison == Comparison::Equal }
        }
        _ => Node::Compare(comparison, Box::new((left, right))),
    }
}
