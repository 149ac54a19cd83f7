namespace OllamaMax.Inference.Native;

/// <summary>The native library failed at something that should have worked.</summary>
internal sealed class NativeException : Exception
{
    public NativeException()
    {
    }

    public NativeException(string message)
        : base(message)
    {
    }

    public NativeException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
