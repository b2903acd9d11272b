mod agreement;
mod recipe;
mod reflection;
