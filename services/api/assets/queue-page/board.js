// What bull-board leaves out for whoever hears its page: names of the buttons that show a picture alone, and a head. It draws
// parts of the page anew at any time, so this is done again after each change; what has a name by now is left alone.
const NAMES = {
  'lucide-maximize': 'Full screen',
  'lucide-settings': 'Settings',
  'lucide-circle-user': 'Links',
  'lucide-ellipsis-vertical': 'Sort by',
};

function nameParts() {
  for (const [icon, name] of Object.entries(NAMES)) {
    for (const picture of document.querySelectorAll(`button:not([aria-label]) > .${icon}`)) {
      picture.parentElement.setAttribute('aria-label', name);
    }
  }
  // The title stands beside the logo: whoever hears the page is told it once.
  document.querySelector('header a > img')?.setAttribute('alt', '');
  const title = document.querySelector('header a > span[title]');
  title?.setAttribute('role', 'heading');
  title?.setAttribute('aria-level', '1');
}

nameParts();
new MutationObserver(nameParts).observe(document.documentElement, { childList: true, subtree: true });
