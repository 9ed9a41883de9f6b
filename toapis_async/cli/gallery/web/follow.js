// Following a run that is under way. A page of the file system may read no file, but it may load a script: the data
// comes as one, again and again, and calls back. The pulse is small and tells whether there is anything new.

const EVERY_SECONDS = 2;
const SILENCE_SECONDS = 20;

function follow(data, { renewed, told }) {
  if (!data.live) return;
  const policy = globalThis.trustedTypes?.createPolicy("follow", { createScriptURL: (address) => address });
  let version = data.version;
  let failures = 0;
  let turn = 0;
  let heard = 0;

  const load = (name) => {
    const script = document.createElement("script");
    turn += 1;
    const address = `./index_files/${name}.js?${turn}`;
    script.src = policy ? policy.createScriptURL(address) : address;
    script.addEventListener("load", () => script.remove());
    script.addEventListener("error", () => {
      script.remove();
      failures += 1;
      next();
    });
    document.head.append(script);
  };
  const next = () => {
    if (failures < 10) setTimeout(() => load("pulse"), EVERY_SECONDS * 1000);
    else told({ live: false, at: heard });
  };

  globalThis.toapisPulse = (pulse) => {
    failures = 0;
    heard = pulse.at;
    const silent = Date.now() / 1000 - pulse.at > SILENCE_SECONDS;
    told({ live: pulse.live && !silent, at: pulse.at });
    if (pulse.version !== version) load("data");
    else if (pulse.live) next();
  };
  globalThis.toapisData = (fresh) => {
    version = fresh.version;
    renewed(fresh);
    if (fresh.live) next();
  };
  told({ live: true, at: Date.now() / 1000 });
  load("pulse");
}
