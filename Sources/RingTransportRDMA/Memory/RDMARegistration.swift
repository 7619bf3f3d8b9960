import RingSystem

/// Memory that a transport's devices know, until the last reference goes.
final class RDMARegistration: Sendable {
    /// How the requests of one protection domain name the memory.
    struct Part: Sendable {
        let domain: SharedDomain
        let memory: RegisteredMemory
    }

    let parts: [Part]
    private let verbs: any Verbs

    /// Registers the memory with each of the domains, for peers to read.
    init(
        _ memory: UnsafeMutableRawBufferPointer, with domains: [SharedDomain], _ verbs: any Verbs
    ) throws(SystemError) {
        var parts: [Part] = []
        for domain in domains {
            do {
                let registered = try verbs.registerMemory(domain.domain.handle, memory, .remoteRead)
                parts.append(Part(domain: domain, memory: registered))
            } catch {
                for part in parts { verbs.deregisterMemory(part.memory.handle) }
                throw error
            }
        }
        self.verbs = verbs
        self.parts = parts
    }

    deinit {
        for part in parts { verbs.deregisterMemory(part.memory.handle) }
    }
}
