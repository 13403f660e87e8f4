import type { Page } from 'playwright-core';

/**
 * How loud it is that a caller hears from the page right now: the root mean square of what its audio elements play, from 0 to
 * 1, the loudest moment within `forMs`. Speech is above 0.02, silence below 0.001.
 */
export function hearLevel(page: Page, forMs = 1_000): Promise<number> {
  return page.evaluate(async (ms) => {
    const playing = [...document.querySelectorAll('audio')].filter(
      (it) => !it.paused && !it.muted && it.srcObject instanceof MediaStream,
    );
    const context = new AudioContext();
    await context.resume();
    const analysers = playing.map((it) => {
      const analyser = context.createAnalyser();
      context.createMediaStreamSource(it.srcObject as MediaStream).connect(analyser);
      return analyser;
    });
    let loudest = 0;
    const until = performance.now() + ms;
    while (performance.now() < until) {
      for (const analyser of analysers) {
        const samples = new Float32Array(analyser.fftSize);
        analyser.getFloatTimeDomainData(samples);
        const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
        loudest = Math.max(loudest, Math.sqrt(power));
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await context.close();
    return loudest;
  }, forMs);
}
