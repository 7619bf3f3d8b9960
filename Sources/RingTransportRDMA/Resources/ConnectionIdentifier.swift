import RingSystem

/// An end of a connection, or a listener, with one owner, who ends it by letting go.
struct ConnectionIdentifier: ~Copyable {
    let handle: VerbsHandle
    private let verbs: any Verbs

    /// Makes one whose events come through `channel` and carry `context`.
    init(_ verbs: any Verbs, channel: VerbsHandle, context: UInt64) throws(SystemError) {
        handle = try verbs.createIdentifier(channel, context: context)
        self.verbs = verbs
    }

    /// Takes over the identifier that came with a request; its events carry `context` from then on.
    init(_ verbs: any Verbs, request: VerbsHandle, context: UInt64) {
        handle = request
        self.verbs = verbs
        verbs.setContext(context, of: request)
    }

    deinit { verbs.destroyIdentifier(handle) }
}
