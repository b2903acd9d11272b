mod agreement;
mod doctor;
mod recipe;
mod reflection;
mod review;
mod run_filter;
mod series;
