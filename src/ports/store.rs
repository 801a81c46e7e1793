//! The store port (being written).
