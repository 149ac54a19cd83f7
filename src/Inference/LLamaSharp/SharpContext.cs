using LLama.Native;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.LLamaSharp;

/// <summary>A context of LLamaSharp, checked as the direct binding's is: the native code behind both is the same.</summary>
internal sealed class SharpContext : INativeContext
{
    private readonly SafeLLamaContextHandle _handle;
    private readonly BatchCheck _check;
    private readonly LLamaBatch _batch = new();
    private readonly bool[] _outputs;
    private readonly HashSet<int> _embedded = [];
    private readonly bool _embeds;
    private readonly int _window;

    // Holds what is on its way out of this context or into it; -1: nothing ever is.
    private readonly int _exchange;
    private int _outputCount;

    private SharpContext(SafeLLamaContextHandle handle, ContextConfig config, int vocabularySize, int longest)
    {
        _handle = handle;
        _embeds = config.Pooling is not null;
        Capacity = (int)handle.ContextSize;
        BatchSize = (int)handle.BatchSize;
        SequenceCount = config.Sequences;
        _window = config.SlidingWindow;
        _exchange = config.Exchanges ? config.Sequences : -1;
        _check = new BatchCheck(config.Sequences, vocabularySize, BatchSize, longest, asksForAll: _embeds);
        _outputs = new bool[BatchSize];
    }

    public int Capacity { get; }

    public int BatchSize { get; }

    public int SequenceCount { get; }

    /// <param name="model">The model.</param>
    /// <param name="adapters">Of this model; all that it computes is changed by each of them.</param>
    /// <param name="config">Valid.</param>
    /// <param name="vocabularySize">Tokens that there are.</param>
    /// <param name="longest">Most tokens in a sequence.</param>
    public static SharpContext Create(SafeLlamaModelHandle model, LoraAdapter[] adapters, ContextConfig config, int vocabularySize, int longest)
    {
        if (config.IsInterruptible)
            throw new ArgumentException("LLamaSharp lets one context of a process compute at a time: none can stand still beside another.", nameof(config));
        List<string> errors = [];
        SafeLLamaContextHandle handle = NativeLog.Capture(errors, () => SafeLLamaContextHandle.Create(model, Parameters(config)));
        if (handle.IsInvalid)
        {
            handle.Dispose();
            throw new ModelLoadException($"No context of {config.Capacity} tokens for {config.Sequences} sequences: {NativeLog.Reason(errors)}");
        }
        if (adapters.Length > 0)
            handle.SetLoraAdapters([.. adapters.Select(static adapter => (adapter, 1f))]);
        return new SharpContext(handle, config, vocabularySize, longest);
    }

    public DecodeOutcome Decode(DecodeBatch batch, Func<bool>? goOn = null)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        _check.Check(batch);
        BatchCheck.CheckInterrupts(isInterruptible: false, goOn);
        // Whatever happens, the former batch's logits are gone.
        _outputCount = 0;
        _embedded.Clear();
        Fill(batch);
        DecodeResult result = _handle.Decode(_batch);
        if (result == DecodeResult.Ok)
        {
            _outputCount = batch.Count;
            batch.Outputs.CopyTo(_outputs);
            if (_embeds)
                _embedded.UnionWith(batch.Sequences.ToArray());
            _check.Commit(batch);
            return DecodeOutcome.Ok;
        }
        if (result is not (DecodeResult.NoKvSlot or DecodeResult.InvalidInputBatch))
            ReadLengths();
        return result switch
        {
            DecodeResult.NoKvSlot => DecodeOutcome.NoKvSlot,
            DecodeResult.ComputeAborted => DecodeOutcome.Aborted,
            DecodeResult.InvalidInputBatch => DecodeOutcome.BadBatch,
            _ => throw new NativeException($"llama.cpp could not compute a batch of {batch.Count} tokens ({result})."),
        };
    }

    public ReadOnlySpan<float> Logits(int index)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        if (_embeds || (uint)index >= (uint)_outputCount || !_outputs[index])
            throw new ArgumentOutOfRangeException(nameof(index), index, "No output was asked for there in the last batch.");
        return _handle.GetLogitsIth(index);
    }

    public ReadOnlySpan<float> Embedding(int sequence)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        if (!_embedded.Contains(sequence))
            throw new ArgumentOutOfRangeException(nameof(sequence), sequence, "The last batch computed no vector of that sequence.");
        ReadOnlySpan<float> vector = _handle.GetEmbeddingsSeq((LLamaSeqId)sequence);
        return vector.IsEmpty ? throw new NativeException($"llama.cpp has no vector of sequence {sequence}.") : vector;
    }

    public int Length(int sequence) => _check.Length(sequence);

    // From the first position in memory on, a sequence has no gaps: llama.cpp keeps it so. What lies behind the window is not looked at.
    public bool CanBranch(int sequence, int length)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        if (length == _check.Length(sequence))
            return true;
        int first = (int)_handle.MemorySequenceMinPosition((LLamaSeqId)sequence);
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
        _handle.MemorySequenceCopy((LLamaSeqId)from, (LLamaSeqId)to, 0, length);
        _check.SetLength(to, length);
    }

    public unsafe SequencePart Save(int sequence, int start, int end)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        _check.CheckSaved(sequence, start, end, exchanges: _exchange >= 0);
        _handle.MemorySequenceCopy((LLamaSeqId)sequence, (LLamaSeqId)_exchange, start, end);
        try
        {
            SequencePart part = new(start, end - start, _handle.GetStateSize((LLamaSeqId)_exchange));
            if (_handle.GetState(part.Data, part.Size, (LLamaSeqId)_exchange) == part.Size)
                return part;
            part.Dispose();
            throw new NativeException($"llama.cpp could not copy {end - start} tokens.");
        }
        finally
        {
            _handle.MemorySequenceRemove((LLamaSeqId)_exchange, -1, -1);
        }
    }

    public unsafe bool Append(int sequence, SequencePart part)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        _check.CheckAppended(sequence, part, exchanges: _exchange >= 0);
        // Where there is no room it logs an error.
        if (NativeLog.MayFail(() => _handle.SetState(part.Data, part.Size, (LLamaSeqId)_exchange)) == 0)
            return false;
        _handle.MemorySequenceCopy((LLamaSeqId)_exchange, (LLamaSeqId)sequence, part.Start, part.End);
        _handle.MemorySequenceRemove((LLamaSeqId)_exchange, -1, -1);
        _check.SetLength(sequence, part.End);
        return true;
    }

    public bool TruncateSequence(int sequence, int length)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _check.Length(sequence));
        _handle.MemorySequenceRemove((LLamaSeqId)sequence, length, -1);
        // LLamaSharp does not pass on whether it worked. A model that reads a text at once remembers nothing anyway.
        if (LastPosition(sequence) + 1 > length)
            return false;
        _check.SetLength(sequence, length);
        return true;
    }

    public void Dispose() => _handle.Dispose();

    private static LLamaContextParams Parameters(ContextConfig config)
    {
        LLamaContextParams parameters = LLamaContextParams.Default();
        parameters.n_ctx = (uint)config.NativeCapacity;
        parameters.n_batch = (uint)config.BatchSize;
        parameters.n_ubatch = (uint)Math.Min(config.BatchSize, 512);
        parameters.n_seq_max = (uint)config.NativeSequences;
        parameters.n_threads = config.Threads;
        parameters.n_threads_batch = config.Threads;
        parameters.attention_type = LLamaAttentionType.Causal;
        if (config.Pooling is { } pooling)
        {
            parameters.embeddings = true;
            parameters.llama_pooling_type = (LLamaPoolingType)pooling;
            // As the file says; a text is read in one piece then, and llama.cpp pools within a piece.
            parameters.attention_type = LLamaAttentionType.Unspecified;
            parameters.n_ubatch = parameters.n_batch;
        }
        parameters.llama_flash_attn_type = config.FlashAttention switch
        {
            FlashAttention.Off => LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_DISABLED,
            FlashAttention.On => LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_ENABLED,
            _ => LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_AUTO,
        };
        parameters.type_k = GgmlType(config.KeyType);
        parameters.type_v = GgmlType(config.ValueType);
        parameters.kv_unified = true;
        return parameters;
    }

    private static GGMLType GgmlType(CacheType type) => type switch
    {
        CacheType.F32 => GGMLType.GGML_TYPE_F32,
        CacheType.F16 => GGMLType.GGML_TYPE_F16,
        CacheType.Q8 => GGMLType.GGML_TYPE_Q8_0,
        CacheType.Q4 => GGMLType.GGML_TYPE_Q4_0,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    private void Fill(DecodeBatch batch)
    {
        _batch.Clear();
        for (int i = 0; i < batch.Count; i++)
            _batch.Add(batch.Tokens[i], batch.Positions[i], (LLamaSeqId)batch.Sequences[i], batch.Outputs[i]);
    }

    // After an abort or a failure parts of the batch are in memory: only the library knows which.
    private void ReadLengths()
    {
        for (int sequence = 0; sequence < SequenceCount; sequence++)
            _check.SetLength(sequence, LastPosition(sequence) + 1);
    }

    private int LastPosition(int sequence) => (int)_handle.MemorySequenceMaxPosition((LLamaSeqId)sequence);
}
