using Microsoft.Win32.SafeHandles;

namespace OllamaMax.Inference.Native.LlamaCpp;

internal sealed class LlamaModelHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle()
    {
        LlamaApi.ModelFree(handle);
        return true;
    }
}

/// <summary>Keeps its model alive: native code reads it for as long as the context lives.</summary>
internal sealed class LlamaContextHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    private LlamaModelHandle? _model;

    public void Keep(LlamaModelHandle model)
    {
        bool added = false;
        model.DangerousAddRef(ref added);
        _model = model;
    }

    protected override bool ReleaseHandle()
    {
        LlamaApi.ContextFree(handle);
        _model?.DangerousRelease();
        return true;
    }
}

internal sealed class LlamaSamplerHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle()
    {
        LlamaApi.SamplerFree(handle);
        return true;
    }
}
