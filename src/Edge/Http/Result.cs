using System.Diagnostics.CodeAnalysis;

namespace OllamaMax.Edge.Http;

/// <summary>A value, or the error that the client gets instead.</summary>
internal readonly struct Result<T>
    where T : class
{
    private Result(T? value, ApiError? error)
    {
        Value = value;
        Error = error;
    }

    public T? Value { get; }

    public ApiError? Error { get; }

    public bool Failed([NotNullWhen(true)] out ApiError? error, [NotNullWhen(false)] out T? value)
    {
        (error, value) = (Error, Value);
        return error is not null;
    }

    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(ApiError error) => new(null, error);
}
