using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace OllamaMax.Inference.Native.LlamaCpp;

/// <summary>A model run by llama.cpp's C API directly.</summary>
internal sealed unsafe class LlamaModel : INativeModel
{
    private readonly LlamaModelHandle _handle;
    private readonly LlamaVocabulary _vocabulary;
    private readonly nint[] _adapters;
    private volatile bool _disposed;

    private LlamaModel(LlamaModelHandle handle, ModelShape shape, nint[] adapters)
    {
        (_handle, _adapters) = (handle, adapters);
        Shape = shape;
        _vocabulary = new LlamaVocabulary(LlamaApi.ModelVocabulary(handle));
        TrainedContext = Math.Max(0, LlamaApi.ModelTrainedContext(handle));
    }

    public ModelShape Shape { get; }

    public int TrainedContext { get; }

    public int VocabularySize => _vocabulary.Tokens.Size;

    public int? LeadingToken => _vocabulary.LeadingToken;

    public int? TrailingToken => _vocabulary.TrailingToken;

    public int LongestPiece => _vocabulary.Tokens.LongestPiece;

    /// <summary>Reads a model from a GGUF file. Blocks for as long as that takes.</summary>
    /// <exception cref="ModelLoadException">The library or the file cannot be used.</exception>
    /// <exception cref="OperationCanceledException"/>
    public static LlamaModel Load(string path, ModelConfig config, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        LlamaLibrary.Load(loggers);
        ModelShape shape = GgufCheck.Check(path);
        List<string> errors = [];
        LlamaModelHandle handle = NativeLog.Capture(errors, () => Open(path, config, cancellationToken));
        if (handle.IsInvalid)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new ModelLoadException($"{path} cannot be loaded: {NativeLog.Reason(errors)}");
        }
        try
        {
            RequireGenerator(handle);
            return new LlamaModel(handle, shape, AdapterFiles.Load(path, adapter => LoadAdapter(handle, adapter)));
        }
        catch (ModelLoadException failure)
        {
            handle.Dispose();
            throw new ModelLoadException($"{path} cannot be used: {failure.Message}", failure);
        }
    }

    public bool IsEndOfGeneration(int token) => _vocabulary.Tokens.IsEndOfGeneration(token);

    public ReadOnlyMemory<byte> Piece(int token) => _vocabulary.Tokens.Piece(token);

    public int[] Tokenize(ReadOnlySpan<byte> utf8, bool addSpecial, bool parseSpecial)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        bool held = false;
        try
        {
            // The vocabulary is memory of the model: it must not go while another thread reads it.
            _handle.DangerousAddRef(ref held);
            return _vocabulary.Tokenize(utf8, addSpecial, parseSpecial);
        }
        finally
        {
            if (held)
                _handle.DangerousRelease();
        }
    }

    public INativeContext CreateContext(ContextConfig config)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        config.Validate((int)LlamaApi.MaximalSequences());
        if (config.Pooling is null && !Shape.IsGenerator)
            throw new ModelLoadException("it is no model that writes: it makes embeddings");
        return LlamaContext.Create(_handle, _adapters, config, VocabularySize, Shape.IsGenerator || TrainedContext == 0 ? int.MaxValue : TrainedContext);
    }

    public INativeSampler CreateSampler(SamplerConfig config) => new LlamaSampler(config, _vocabulary.Tokens);

    /// <summary>Contexts go on: the memory goes with the last of them.</summary>
    public void Dispose()
    {
        _disposed = true;
        _handle.Dispose();
    }

    private static LlamaModelHandle Open(string path, ModelConfig config, CancellationToken cancellationToken)
    {
        GCHandle<LoadWatch> flag = new(new LoadWatch(cancellationToken, config.Progress));
        try
        {
            LlamaModelParams parameters = LlamaApi.ModelDefaultParams();
            parameters.GpuLayers = config.GpuLayers;
            parameters.ProgressCallback = &OnProgress;
            parameters.ProgressUserData = (void*)GCHandle<LoadWatch>.ToIntPtr(flag);
            return LlamaApi.ModelLoad(path, parameters);
        }
        finally
        {
            flag.Dispose();
        }
    }

    /// <returns>0 stops loading.</returns>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte OnProgress(float progress, void* userData)
    {
        LoadWatch watch = GCHandle<LoadWatch>.FromIntPtr((nint)userData).Target;
        watch.Progress?.Report(progress);
        return watch.Token.IsCancellationRequested ? (byte)0 : (byte)1;
    }

    private static nint LoadAdapter(LlamaModelHandle handle, string path)
    {
        List<string> errors = [];
        nint adapter = NativeLog.Capture(errors, () => LlamaApi.AdapterLoad(handle, path));
        return adapter != 0 ? adapter : throw new ModelLoadException($"its adapter cannot be loaded: {NativeLog.Reason(errors)}");
    }

    private static void RequireGenerator(LlamaModelHandle handle)
    {
        if (LlamaApi.ModelHasDecoder(handle) == 0 || LlamaApi.ModelHasEncoder(handle) != 0 || LlamaApi.ModelIsDiffusion(handle) != 0)
            throw new ModelLoadException("it neither generates text token by token nor makes embeddings");
    }

    private sealed record LoadWatch(CancellationToken Token, IProgress<float>? Progress);
}
