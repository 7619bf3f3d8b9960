import RingSystem

/// A channel for connections' events, with one owner, who destroys it by letting go. Its identifiers must be gone by then.
struct EventChannel: ~Copyable {
    let handle: VerbsHandle
    private let verbs: any Verbs

    init(_ verbs: any Verbs) throws(SystemError) {
        handle = try verbs.createEventChannel()
        self.verbs = verbs
    }

    deinit { verbs.destroyEventChannel(handle) }

    /// What to poll for reading.
    var descriptor: Int32 { verbs.descriptor(ofEventChannel: handle) }

    /// The next event, if there is one.
    borrowing func next() throws(SystemError) -> ConnectionEvent? { try verbs.nextEvent(handle) }
}
