import RingSystem

/// A protection domain: what queue pairs and the memory that they use have in common. One owner destroys it by letting go;
/// what belongs to it must be gone by then.
struct ProtectionDomain: ~Copyable {
    let handle: VerbsHandle
    private let verbs: any Verbs

    init(_ verbs: any Verbs, device: VerbsHandle) throws(SystemError) {
        handle = try verbs.createDomain(device)
        self.verbs = verbs
    }

    deinit { verbs.destroyDomain(handle) }
}
