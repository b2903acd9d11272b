mod agreement;
mod doctor;
mod leads;
mod recipe;
mod reflection;
mod review;
mod run_filter;
mod series;
