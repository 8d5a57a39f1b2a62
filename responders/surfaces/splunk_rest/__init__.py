"""The app's REST interface inside Splunk: `dispatch` is its table of contents. It only translates and checks who may."""
