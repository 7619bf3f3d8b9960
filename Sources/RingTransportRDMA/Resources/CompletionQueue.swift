import RingSystem

/// A channel that tells of completions, with one owner, who destroys it by letting go, after its queue.
struct CompletionChannel: ~Copyable {
    let handle: VerbsHandle
    private let verbs: any Verbs

    init(_ verbs: any Verbs, device: VerbsHandle) throws(SystemError) {
        handle = try verbs.createCompletionChannel(device)
        self.verbs = verbs
    }

    deinit { verbs.destroyCompletionChannel(handle) }
}

/// A queue of completions, with one owner, who destroys it by letting go, after its queue pairs.
struct CompletionQueue: ~Copyable {
    let handle: VerbsHandle
    private let verbs: any Verbs

    init(_ verbs: any Verbs, device: VerbsHandle, entries: Int, channel: VerbsHandle) throws(SystemError) {
        handle = try verbs.createCompletionQueue(device, entries: Int32(entries), channel: channel)
        self.verbs = verbs
    }

    deinit { verbs.destroyCompletionQueue(handle) }
}
