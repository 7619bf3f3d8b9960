import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory of its own that a device knows, in whole pages, with one owner, who gives it back by letting go.
struct MemoryRegion: ~Copyable {
    let memory: UnsafeMutableRawBufferPointer
    let registration: RegisteredMemory
    private let verbs: any Verbs

    /// Allocates and registers `byteCount` bytes of zeros.
    init(_ verbs: any Verbs, domain: VerbsHandle, byteCount: Int, _ access: MemoryAccess) throws(SystemError)
    {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 4096)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        do {
            registration = try verbs.registerMemory(domain, memory, access)
        } catch {
            memory.deallocate()
            throw error
        }
        self.memory = memory
        self.verbs = verbs
    }

    deinit {
        verbs.deregisterMemory(registration.handle)
        memory.deallocate()
    }
}
