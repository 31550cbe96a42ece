import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { Empty, Page } from "../../ui/basics.js";

export default () => html`<${Page} title=${texts.nav.audit}><${Empty} icon="audit" title=${texts.notFound} /><//>`;
