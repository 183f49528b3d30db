// Sets the colour scheme before the first paint; a file of its own so that the page needs no inline script.
(function () {
  var choice
  try {
    choice = window.localStorage.getItem('exfm-color-scheme')
  } catch {
    choice = null // storage is switched off
  }
  var dark = choice === 'dark' || (choice !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light')
})()
