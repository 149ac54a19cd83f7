using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.OpenAI;

/// <summary>What is done with each field of a request: a client that sends one learns whether it counts.</summary>
/// <param name="read">Fields that decide something.</param>
/// <param name="harmless">Fields without which the answer is as good; not looked at.</param>
internal sealed class FieldPolicy(IEnumerable<string> read, IEnumerable<string> harmless)
{
    private readonly HashSet<string> _known = new([.. read, .. harmless], StringComparer.Ordinal);

    /// <summary>Refuses the first field that is not known. One that is null, or a list of nothing, asks for nothing.</summary>
    public void Check(JsonFields request)
    {
        foreach (string name in request.Names())
        {
            if (!_known.Contains(name) && request.Find(name) is { } value && !IsEmptyList(value))
                request.Errors.Add(ApiError.NotSupported(name) with { Code = "unsupported_parameter" });
        }
    }

    private static bool IsEmptyList(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0;
}
