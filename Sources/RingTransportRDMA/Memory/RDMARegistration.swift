import RingSystem
import RingTransport

/// A caller's memory that a transport's devices know, until the last reference goes.
final class RDMARegistration: MemoryRegistration {
    private let verbs: any Verbs
    private let regions: RegisteredRegions
    private let parts: [Part]

    private struct Part {
        let domain: SharedDomain
        let memory: RegisteredMemory
        let region: RegisteredRegions.Region
    }

    /// Registers the memory with each of the domains, for peers to read.
    init(
        _ memory: UnsafeMutableRawBufferPointer, with domains: [SharedDomain], _ verbs: any Verbs,
        _ regions: RegisteredRegions
    ) throws(SystemError) {
        let start = UInt(bitPattern: memory.baseAddress)
        var parts: [Part] = []
        for domain in domains {
            do {
                let registered = try verbs.registerMemory(domain.domain.handle, memory, .remoteRead)
                parts.append(
                    Part(
                        domain: domain, memory: registered,
                        region: RegisteredRegions.Region(
                            addresses: start..<(start + UInt(memory.count)), domain: domain.domain.handle,
                            localKey: registered.localKey, remoteKey: registered.remoteKey)))
            } catch {
                for part in parts { verbs.deregisterMemory(part.memory.handle) }
                throw error
            }
        }
        self.verbs = verbs
        self.regions = regions
        self.parts = parts
        for part in parts { regions.add(part.region) }
    }

    deinit {
        for part in parts {
            // First, so that nobody names it any more.
            regions.remove(part.region)
            verbs.deregisterMemory(part.memory.handle)
        }
    }
}
