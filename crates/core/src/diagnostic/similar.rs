//! What a mistyped word was probably meant to be.

/// The one of several words that was probably meant.
pub fn similar<'w>(word: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let close = |other: &str| distance(word, other);
    let best = words.into_iter().map(|other| (close(other), other)).min()?;
    // Two letters changed places are two mistakes, which even a short word may have.
    let length = word.chars().count();
    (best.0 <= length.div_ceil(3).max(2) && best.0 < length).then_some(best.1)
}

/// How many characters must be added, left out or replaced to turn one word into the other.
fn distance(one: &str, other: &str) -> usize {
    // Ids are short; what is longer was not mistyped.
    let other: Vec<char> = other.chars().take(100).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, character) in one.chars().take(100).enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, candidate) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(*candidate != character);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::similar;

    #[test]
    fn the_nearest_word_is_meant_if_it_is_near() {
        let words = ["take-request", "handle-request", "call-back"];
        assert_eq!(similar("take-requst", words), Some("take-request"));
        assert_eq!(similar("pay", words), None);
    }
}
