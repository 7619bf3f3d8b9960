import RingTransport

/// Memory that links find by its address, in a registration that covers it, until the last reference goes.
final class RegisteredRange: MemoryRegistration {
    private let registration: RDMARegistration
    private let regions: RegisteredRegions

    /// - Parameter isLasting: Whether its owner has registered it, and not an operation that uses it.
    init(
        _ memory: UnsafeRawBufferPointer, in registration: RDMARegistration, _ regions: RegisteredRegions,
        isLasting: Bool
    ) {
        self.registration = registration
        self.regions = regions
        let start = UInt(bitPattern: memory.baseAddress)
        for part in registration.parts {
            regions.add(
                RegisteredRegions.Region(
                    addresses: start..<(start + UInt(memory.count)), domain: part.domain.domain.handle,
                    localKey: part.memory.localKey, remoteKey: part.memory.remoteKey),
                of: ObjectIdentifier(self), isLasting: isLasting)
        }
    }

    deinit {
        // Before the devices forget it, so that nobody names it any more.
        regions.remove(of: ObjectIdentifier(self))
    }
}
