import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { keepToken } from "./api";
import { Page } from "./Page";
import { start } from "./start";

keepToken();
render(<Page />, document.getElementById("page") as HTMLElement);
void start();
