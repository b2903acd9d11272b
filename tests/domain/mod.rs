mod agreement;
mod doctor;
mod recipe;
mod reflection;
mod run_filter;
mod series;
