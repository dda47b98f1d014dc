import { render } from "preact";
import { App } from "./app.js";
import "./plain-moves.js";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/parts.css";

document.body.replaceChildren(); // what is said where this does not run
render(<App />, document.body);
