import RingSystem

/// A reliable-connected queue pair, with one owner, who destroys it by letting go.
struct QueuePair: ~Copyable {
    let handle: VerbsHandle
    /// By which the peer addresses it.
    let number: UInt32
    /// How many bytes a send may bring along.
    let inlineBytes: Int
    private let verbs: any Verbs

    init(
        _ verbs: any Verbs, domain: VerbsHandle, completions: VerbsHandle, _ sizes: QueueSizes
    ) throws(SystemError) {
        let created = try verbs.createQueuePair(domain, completions: completions, sizes)
        (handle, number, inlineBytes) = (created.handle, created.number, created.inlineBytes)
        self.verbs = verbs
    }

    deinit { verbs.destroyQueuePair(handle) }
}
