//! What can be given as variables.

use std::collections::BTreeMap;

use potok_core::Name;
use potok_core::step::Variables;
use potok_core::value::Value;

use crate::Error;
use crate::engine::Inner;

/// What can be given as variables: nothing, a JSON object, or values by name.
pub trait IntoVariables {
    /// The variables, in order.
    ///
    /// # Errors
    /// If it is JSON that is no object, or a value is too deep or too large.
    fn into_variables(self) -> Result<Variables, Error>;
}

impl Inner {
    /// Variables that somebody gives, if they keep within the limits of this engine.
    pub(crate) fn given(&self, variables: impl IntoVariables) -> Result<Variables, Error> {
        let variables = variables.into_variables()?;
        self.check_given(&variables)?;
        Ok(variables)
    }

    pub(crate) fn check_given(&self, variables: &[(Name, Value)]) -> Result<(), Error> {
        variables.iter().try_for_each(|(name, value)| {
            self.limits.values.check(value).map_err(|error| Error::Variable { name: name.clone(), error })
        })
    }
}

impl IntoVariables for () {
    fn into_variables(self) -> Result<Variables, Error> {
        Ok(Vec::new())
    }
}

impl IntoVariables for Variables {
    fn into_variables(self) -> Result<Variables, Error> {
        for (name, value) in &self {
            value.check().map_err(|error| Error::Variable { name: name.clone(), error })?;
        }
        Ok(self)
    }
}

impl IntoVariables for BTreeMap<Name, Value> {
    fn into_variables(self) -> Result<Variables, Error> {
        self.into_iter().collect::<Variables>().into_variables()
    }
}

impl<const COUNT: usize> IntoVariables for [(&str, Value); COUNT] {
    fn into_variables(self) -> Result<Variables, Error> {
        self.into_iter().map(|(name, value)| (Name::from(name), value)).collect::<Variables>().into_variables()
    }
}

impl IntoVariables for serde_json::Value {
    fn into_variables(self) -> Result<Variables, Error> {
        let entries = match self {
            Self::Object(entries) => entries,
            Self::Null => return Ok(Vec::new()),
            _ => return Err(Error::NoVariables),
        };
        let variable = |(name, value): (String, Self)| {
            let name = Name::from(name);
            let value = Value::from_json(value).map_err(|error| Error::Variable { name: name.clone(), error })?;
            Ok((name, value))
        };
        entries.into_iter().map(variable).collect()
    }
}
