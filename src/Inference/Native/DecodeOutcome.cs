namespace OllamaMax.Inference.Native;

internal enum DecodeOutcome
{
    Ok,

    /// <summary>The memory has no room for the batch; it is as it was before.</summary>
    NoKvSlot,

    /// <summary>Someone asked the computation to stop; the sequences of the batch may be in memory to any length, and are worth nothing: clear them.</summary>
    Aborted,

    /// <summary>The library refused the batch for a reason that the binding does not know of; the memory is as it was before.</summary>
    BadBatch,
}
