import { mount } from '../shared/mount.jsx';
import { ConsolePage } from './console-page.jsx';

mount(<ConsolePage />);
