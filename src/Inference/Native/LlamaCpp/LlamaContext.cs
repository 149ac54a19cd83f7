namespace OllamaMax.Inference.Native.LlamaCpp;

/// <summary>
/// A context of llama.cpp. It keeps the length of every sequence itself, so that a batch can be checked before native code sees it:
/// there a wrong one is a failed assertion, which ends the process.
/// </summary>
internal sealed unsafe class LlamaContext : INativeContext
{
    private readonly LlamaContextHandle _handle;
    private readonly BatchCheck _check;
    private readonly int[] _sequenceCounts;
    private readonly int*[] _sequencePointers;
    private readonly byte[] _outputs;
    private readonly int _vocabularySize;
    private readonly ComputeInterrupts? _interrupts;
    private int _outputCount;

    // Of the last batch: a row for each entry that asked, in their order, -1 for the others; null until they are asked for.
    private float* _logits;
    private readonly int[] _rows;

    private readonly HashSet<int> _embedded = [];
    private readonly bool _embeds;
    private readonly int _width;
    private readonly int _window;

    // Holds what is on its way out of this context or into it; -1: nothing ever is.
    private readonly int _exchange;

    private LlamaContext(
        LlamaContextHandle handle, LlamaModelHandle model, ContextConfig config, ComputeInterrupts? interrupts, int vocabularySize, int longest)
    {
        _handle = handle;
        _interrupts = interrupts;
        _vocabularySize = vocabularySize;
        _embeds = config.Pooling is not null;
        _width = LlamaApi.ModelEmbeddingWidth(model);
        Capacity = (int)LlamaApi.ContextSize(handle);
        BatchSize = (int)LlamaApi.ContextBatchSize(handle);
        SequenceCount = config.Sequences;
        _window = config.SlidingWindow;
        _exchange = config.Exchanges ? config.Sequences : -1;
        _check = new BatchCheck(config.Sequences, vocabularySize, BatchSize, longest, asksForAll: _embeds);
        _sequenceCounts = new int[BatchSize];
        Array.Fill(_sequenceCounts, 1);
        _sequencePointers = new int*[BatchSize];
        _outputs = new byte[BatchSize];
        _rows = new int[BatchSize];
    }

    public int Capacity { get; }

    public int BatchSize { get; }

    public int SequenceCount { get; }

    internal LlamaContextHandle Handle => _handle;

    /// <param name="model">The model.</param>
    /// <param name="adapters">Of this model; all that it computes is changed by each of them.</param>
    /// <param name="config">Valid.</param>
    /// <param name="vocabularySize">Tokens that there are.</param>
    /// <param name="longest">Most tokens in a sequence.</param>
    public static LlamaContext Create(LlamaModelHandle model, nint[] adapters, ContextConfig config, int vocabularySize, int longest)
    {
        List<string> errors = [];
        ComputeInterrupts? interrupts = config.IsInterruptible ? new() : null;
        LlamaContextHandle handle = NativeLog.Capture(errors, () => LlamaApi.ContextCreate(model, Parameters(config, interrupts)));
        if (handle.IsInvalid)
        {
            interrupts?.Dispose();
            throw new ModelLoadException($"No context of {config.Capacity} tokens for {config.Sequences} sequences: {NativeLog.Reason(errors)}");
        }
        handle.Keep(model);
        LlamaContext context = new(handle, model, config, interrupts, vocabularySize, longest);
        if (HasApplied(handle, adapters))
            return context;
        context.Dispose();
        throw new ModelLoadException("The model's adapters cannot be applied.");
    }

    public DecodeOutcome Decode(DecodeBatch batch, Func<bool>? goOn = null)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        _check.Check(batch);
        BatchCheck.CheckInterrupts(_interrupts is not null, goOn);
        // Whatever happens, the former batch's logits are gone.
        _outputCount = 0;
        _logits = null;
        _embedded.Clear();
        _interrupts?.Begin(goOn);
        int result = DecodeNative(batch);
        if (_interrupts is { HasEnded: true })
            result = 2;
        if (result == 0)
        {
            _outputCount = batch.Count;
            if (_embeds)
                _embedded.UnionWith(batch.Sequences.ToArray());
            _check.Commit(batch);
            return DecodeOutcome.Ok;
        }
        if (result is 2 or < -1)
            ReadLengths();
        return result switch
        {
            1 => DecodeOutcome.NoKvSlot,
            2 => DecodeOutcome.Aborted,
            -1 => DecodeOutcome.BadBatch,
            _ => throw new NativeException($"llama.cpp could not compute a batch of {batch.Count} tokens (code {result})."),
        };
    }

    public ReadOnlySpan<float> Logits(int index)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        if (_embeds || (uint)index >= (uint)_outputCount || _rows[index] < 0)
            throw new ArgumentOutOfRangeException(nameof(index), index, "No output was asked for there in the last batch.");
        // Each call of it waits for the GPU, so it is asked once.
        if (_logits is null)
            _logits = LlamaApi.Logits(_handle);
        return _logits is null
            ? throw new NativeException($"llama.cpp has no logits of entry {index}.")
            : new ReadOnlySpan<float>(_logits + ((long)_rows[index] * _vocabularySize), _vocabularySize);
    }

    public ReadOnlySpan<float> Embedding(int sequence)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        if (!_embedded.Contains(sequence))
            throw new ArgumentOutOfRangeException(nameof(sequence), sequence, "The last batch computed no vector of that sequence.");
        float* vector = LlamaApi.SequenceEmbedding(_handle, sequence);
        return vector is null
            ? throw new NativeException($"llama.cpp has no vector of sequence {sequence}.")
            : new ReadOnlySpan<float>(vector, _width);
    }

    public int Length(int sequence) => _check.Length(sequence);

    // From the first position in memory on, a sequence has no gaps: llama.cpp keeps it so. What lies behind the window is not looked at.
    public bool CanBranch(int sequence, int length)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        if (length == _check.Length(sequence))
            return true;
        int first = LlamaApi.MemoryFirstPosition(LlamaApi.Memory(_handle), sequence);
        return first == 0 || (_window > 0 && first <= length - _window);
    }

    public void CopySequence(int from, int to, int length)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _check.Length(from));
        if (_check.Length(to) != 0)
            throw new ArgumentException($"Sequence {to} is not empty.", nameof(to));
        if (!CanBranch(from, length))
            throw new ArgumentException($"Sequence {from} cannot be copied at {length}.", nameof(length));
        LlamaApi.MemoryCopy(LlamaApi.Memory(_handle), from, to, 0, length);
        _check.SetLength(to, length);
    }

    public SequencePart Save(int sequence, int start, int end)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        _check.CheckSaved(sequence, start, end, exchanges: _exchange >= 0);
        nint memory = LlamaApi.Memory(_handle);
        LlamaApi.MemoryCopy(memory, sequence, _exchange, start, end);
        try
        {
            SequencePart part = new(start, end - start, LlamaApi.SequenceStateSize(_handle, _exchange));
            if (LlamaApi.SequenceStateGet(_handle, part.Data, part.Size, _exchange) == part.Size)
                return part;
            part.Dispose();
            throw new NativeException($"llama.cpp could not copy {end - start} tokens.");
        }
        finally
        {
            LlamaApi.MemoryRemove(memory, _exchange, -1, -1);
        }
    }

    public bool Append(int sequence, SequencePart part)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        _check.CheckAppended(sequence, part, exchanges: _exchange >= 0);
        // Where there is no room it logs an error.
        if (NativeLog.MayFail(() => LlamaApi.SequenceStateSet(_handle, part.Data, part.Size, _exchange)) == 0)
            return false;
        nint memory = LlamaApi.Memory(_handle);
        LlamaApi.MemoryCopy(memory, _exchange, sequence, part.Start, part.End);
        LlamaApi.MemoryRemove(memory, _exchange, -1, -1);
        _check.SetLength(sequence, part.End);
        return true;
    }

    public bool TruncateSequence(int sequence, int length)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _check.Length(sequence));
        if (LlamaApi.MemoryRemove(LlamaApi.Memory(_handle), sequence, length, -1) == 0)
            return false;
        _check.SetLength(sequence, length);
        return true;
    }

    public void Dispose()
    {
        _handle.Dispose();
        _interrupts?.Dispose();
    }

    private static LlamaContextParams Parameters(ContextConfig config, ComputeInterrupts? interrupts)
    {
        LlamaContextParams parameters = LlamaApi.ContextDefaultParams();
        if (interrupts is not null)
            (parameters.EvaluationCallback, parameters.EvaluationUserData) = (ComputeInterrupts.Callback, interrupts.UserData);
        parameters.ContextSize = (uint)config.NativeCapacity;
        parameters.BatchSize = (uint)config.BatchSize;
        parameters.MicroBatchSize = (uint)Math.Min(config.BatchSize, 512);
        parameters.Sequences = (uint)config.NativeSequences;
        parameters.Threads = config.Threads;
        parameters.BatchThreads = config.Threads;
        parameters.AttentionType = 0; // causal, whatever the file says: the other kind asserts on chunked prompts
        if (config.Pooling is { } pooling)
        {
            parameters.Embeddings = 1;
            parameters.PoolingType = (int)pooling;
            // As the file says; a text is read in one piece then, and llama.cpp pools within a piece.
            parameters.AttentionType = -1;
            parameters.MicroBatchSize = parameters.BatchSize;
        }
        parameters.FlashAttentionType = config.FlashAttention switch
        {
            FlashAttention.Off => 0,
            FlashAttention.On => 1,
            _ => -1,
        };
        parameters.KeyType = GgmlType(config.KeyType);
        parameters.ValueType = GgmlType(config.ValueType);
        // One memory for all sequences: beginnings can be shared, and a long sequence may use what short ones leave.
        parameters.UnifiedKeyValues = 1;
        return parameters;
    }

    private static bool HasApplied(LlamaContextHandle handle, nint[] adapters)
    {
        if (adapters.Length == 0)
            return true;
        float[] scales = new float[adapters.Length];
        Array.Fill(scales, 1);
        fixed (nint* pointers = adapters)
        fixed (float* factors = scales)
            return LlamaApi.SetAdapters(handle, pointers, (nuint)adapters.Length, factors) == 0;
    }

    private int DecodeNative(DecodeBatch batch)
    {
        ReadOnlySpan<bool> wanted = batch.Outputs;
        int rows = 0;
        for (int i = 0; i < wanted.Length; i++)
        {
            _outputs[i] = wanted[i] ? (byte)1 : (byte)0;
            _rows[i] = wanted[i] ? rows++ : -1;
        }
        fixed (int* tokens = batch.Tokens, positions = batch.Positions, sequences = batch.Sequences, counts = _sequenceCounts)
        fixed (byte* outputs = _outputs)
        {
            for (int i = 0; i < batch.Count; i++)
                _sequencePointers[i] = sequences + i;
            fixed (int** sequencePointers = _sequencePointers)
            {
                return LlamaApi.Decode(_handle, new LlamaBatch
                {
                    Count = batch.Count,
                    Tokens = tokens,
                    Positions = positions,
                    SequenceCounts = counts,
                    Sequences = sequencePointers,
                    Outputs = outputs,
                });
            }
        }
    }

    // After an abort or a failure parts of the batch are in memory: only the library knows which.
    private void ReadLengths()
    {
        nint memory = LlamaApi.Memory(_handle);
        for (int sequence = 0; sequence < SequenceCount; sequence++)
            _check.SetLength(sequence, LlamaApi.MemoryLastPosition(memory, sequence) + 1);
    }

    /// <summary>Values of <c>ggml_type</c>.</summary>
    private static int GgmlType(CacheType type) => type switch
    {
        CacheType.F32 => 0,
        CacheType.F16 => 1,
        CacheType.Q4 => 2,
        CacheType.Q8 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };
}
