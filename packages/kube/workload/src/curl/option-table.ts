/**
 * The names of curl 8.14's options, their letters and whether they take a value: so that one that nothing is
 * made of here is told from one that curl does not know, and its value is not taken for a URL.
 */

export interface OptionInfo {
  readonly name: string
  /** `flag` may have `--no-`, `word` may not. */
  readonly kind: "flag" | "word" | "value"
  /** The letter switches it off: `-N` is `--no-buffer`. */
  readonly letterNegates: boolean
}

const FLAGS = "alpn append/a basic buffer/N! ca-native cert-status clobber compressed compressed-ssh " +
  "create-dirs crlf digest disable/q disable-eprt disable-epsv disallow-username-in-url " +
  "doh-cert-status doh-insecure eprt epsv fail/f fail-early fail-with-body false-start " +
  "form-escape ftp-create-dirs ftp-pasv ftp-pret ftp-skip-pasv-ip ftp-ssl ftp-ssl-ccc " +
  "ftp-ssl-control ftp-ssl-reqd get/G globoff/g haproxy-protocol head/I http0.9 " +
  "ignore-content-length include insecure/k junk-session-cookies/j keepalive list-only/l " +
  "location/L location-trusted mail-rcpt-allowfails manual/M metalink mptcp negotiate " +
  "netrc/n netrc-optional npn ntlm ntlm-wb parallel/Z parallel-immediate path-as-is " +
  "post301 post302 post303 progress-bar/# progress-meter proxy-anyauth proxy-basic " +
  "proxy-ca-native proxy-digest proxy-http2 proxy-insecure proxy-negotiate proxy-ntlm " +
  "proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxytunnel/p raw " +
  "remote-header-name/J remote-name/O remote-name-all remote-time/R remove-on-error " +
  "retry-all-errors retry-connrefused sasl-ir sessionid show-error/S show-headers/i " +
  "silent/s skip-existing socks5-basic socks5-gssapi socks5-gssapi-nec ssl " +
  "ssl-allow-beast ssl-auto-client-cert ssl-no-revoke ssl-reqd ssl-revoke-best-effort " +
  "styled-output suppress-connect-headers tcp-fastopen tcp-nodelay tftp-no-options " +
  "tls-earlydata tr-encoding trace-ids trace-time use-ascii/B verbose/v version/V xattr"
const WORDS = "anyauth dump-ca-embed http1.0/0 http1.1 http2 http2-prior-knowledge http3 http3-only " +
  "ipv4/4 ipv6/6 next/: proxy-tlsv1 sslv2/2 sslv3/3 tlsv1/1 tlsv1.0 tlsv1.1 tlsv1.2 " +
  "tlsv1.3"
const VALUES = "abstract-unix-socket alt-svc aws-sigv4 cacert capath cert/E cert-type ciphers config/K " +
  "connect-timeout connect-to continue-at/C cookie/b cookie-jar/c create-file-mode " +
  "crlfile curves data/d data-ascii data-binary data-raw data-urlencode delegation " +
  "dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header/D ech " +
  "egd-file engine etag-compare etag-save expect100-timeout form/F form-string " +
  "ftp-account ftp-alternative-to-user ftp-method ftp-port/P ftp-ssl-ccc-mode " +
  "happy-eyeballs-timeout-ms haproxy-clientip header/H help/h hostpubmd5 hostpubsha256 " +
  "hsts interface ip-tos ipfs-gateway json keepalive-cnt keepalive-time key key-type krb " +
  "krb4 libcurl limit-rate local-port login-options mail-auth mail-from mail-rcpt " +
  "max-filesize max-redirs max-time/m netrc-file noproxy oauth2-bearer output/o " +
  "output-dir parallel-max pass pinnedpubkey preproxy proto proto-default proto-redir " +
  "proxy/x proxy-cacert proxy-capath proxy-cert proxy-cert-type proxy-ciphers " +
  "proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass proxy-pinnedpubkey " +
  "proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword " +
  "proxy-tlsuser proxy-user/U proxy1.0 pubkey quote/Q random-file range/r rate referer/e " +
  "request/X request-target resolve retry retry-delay retry-max-time sasl-authzid " +
  "service-name sigalgs socks4 socks4a socks5 socks5-gssapi-service socks5-hostname " +
  "speed-limit/Y speed-time/y ssl-sessions stderr telnet-option/t tftp-blksize " +
  "time-cond/z tls-max tls13-ciphers tlsauthtype tlspassword tlsuser trace trace-ascii " +
  "trace-config unix-socket upload-file/T upload-flags url url-query user/u user-agent/A " +
  "variable vlan-priority write-out/w"
/** What changes nothing on a plain HTTP connection to a program whose output is kept whole. */
const IDLE = "alpn basic buffer ca-native cacert capath cert cert-status cert-type ciphers clobber " +
  "create-dirs crlfile curves disable ech engine false-start hsts insecure key key-type " +
  "pass pinnedpubkey progress-bar progress-meter remove-on-error sessionid sigalgs ssl " +
  "ssl-allow-beast ssl-no-revoke ssl-reqd ssl-revoke-best-effort ssl-sessions " +
  "styled-output suppress-connect-headers tls-earlydata tls-max tls13-ciphers tlsv1 " +
  "tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3"

const BY_NAME = new Map<string, OptionInfo>()
const BY_LETTER = new Map<string, OptionInfo>()
const IDLE_NAMES = new Set(IDLE.split(" "))

for (const [kind, list] of [["flag", FLAGS], ["word", WORDS], ["value", VALUES]] as const) {
  for (const entry of list.split(" ")) {
    const [, name, letter, negates] = /^([^/]+)(?:\/(.)(!)?)?$/.exec(entry)!
    const info: OptionInfo = { name: name!, kind, letterNegates: negates !== undefined }
    BY_NAME.set(name!, info)
    if (letter !== undefined) BY_LETTER.set(letter, info)
  }
}

export function optionOf(name: string): OptionInfo | null {
  return BY_NAME.get(name) ?? null
}

export function optionOfLetter(letter: string): OptionInfo | null {
  return BY_LETTER.get(letter) ?? null
}

/** Taken and without effect here. */
export function isIdle(name: string): boolean {
  return IDLE_NAMES.has(name)
}
