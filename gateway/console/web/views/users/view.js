import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { Empty, Page } from "../../ui/basics.js";

export default () => html`<${Page} title=${texts.nav.users}><${Empty} icon="users" title=${texts.notFound} /><//>`;
