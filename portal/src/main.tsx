import { render } from 'preact';
import { App } from './app';
import 'uplot/dist/uPlot.min.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/parts.css';
import './styles/charts.css';
import './styles/pages.css';
import './styles/fleet.css';
import './styles/print.css';

const root = document.getElementById('app');
if (root) render(<App />, root);
