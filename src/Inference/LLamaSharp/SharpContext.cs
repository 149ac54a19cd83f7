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
    private int _outputCount;

    private SharpContext(SafeLLamaContextHandle handle, ContextConfig config, int vocabularySize)
    {
        _handle = handle;
        Capacity = (int)handle.ContextSize;
        BatchSize = (int)handle.BatchSize;
        SequenceCount = config.Sequences;
        _check = new BatchCheck(config.Sequences, vocabularySize, BatchSize);
        _outputs = new bool[BatchSize];
    }

    public int Capacity { get; }

    public int BatchSize { get; }

    public int SequenceCount { get; }

    public static SharpContext Create(SafeLlamaModelHandle model, ContextConfig config, int vocabularySize)
    {
        SafeLLamaContextHandle handle = SafeLLamaContextHandle.Create(model, Parameters(config));
        if (handle.IsInvalid)
        {
            handle.Dispose();
            throw new ModelLoadException(
                $"No context of {config.Capacity} tokens for {config.Sequences} sequences: the log of llama.cpp says why");
        }
        return new SharpContext(handle, config, vocabularySize);
    }

    public DecodeOutcome Decode(DecodeBatch batch)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        _check.Check(batch);
        // Whatever happens, the former batch's logits are gone.
        _outputCount = 0;
        Fill(batch);
        DecodeResult result = _handle.Decode(_batch);
        if (result == DecodeResult.Ok)
        {
            _outputCount = batch.Count;
            batch.Outputs.CopyTo(_outputs);
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
        if ((uint)index >= (uint)_outputCount || !_outputs[index])
            throw new ArgumentOutOfRangeException(nameof(index), index, "No output was asked for there in the last batch.");
        return _handle.GetLogitsIth(index);
    }

    public int Length(int sequence) => _check.Length(sequence);

    public void CopySequence(int from, int to, int length)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _check.Length(from));
        if (_check.Length(to) != 0)
            throw new ArgumentException($"Sequence {to} is not empty.", nameof(to));
        _handle.MemorySequenceCopy((LLamaSeqId)from, (LLamaSeqId)to, 0, length);
        _check.SetLength(to, length);
    }

    public bool TruncateSequence(int sequence, int length)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _check.Length(sequence));
        _handle.MemorySequenceRemove((LLamaSeqId)sequence, length, -1);
        // LLamaSharp does not pass on whether it worked.
        if (LastPosition(sequence) + 1 != length)
            return false;
        _check.SetLength(sequence, length);
        return true;
    }

    public void Clear()
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        _handle.MemoryClear(data: false);
        for (int sequence = 0; sequence < SequenceCount; sequence++)
            _check.SetLength(sequence, 0);
    }

    public void Dispose() => _handle.Dispose();

    private static LLamaContextParams Parameters(ContextConfig config)
    {
        LLamaContextParams parameters = LLamaContextParams.Default();
        parameters.n_ctx = (uint)config.Capacity;
        parameters.n_batch = (uint)config.BatchSize;
        parameters.n_ubatch = (uint)Math.Min(config.BatchSize, 512);
        parameters.n_seq_max = (uint)config.Sequences;
        parameters.n_threads = config.Threads;
        parameters.n_threads_batch = config.Threads;
        parameters.attention_type = LLamaAttentionType.Causal;
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
