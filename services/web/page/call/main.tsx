import { mount } from '../shared/mount.jsx';
import { CallPage } from './call-page.jsx';

mount(<CallPage />);
