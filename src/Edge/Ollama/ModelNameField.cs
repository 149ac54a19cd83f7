using OllamaMax.Edge.Http;
using OllamaMax.Models;

namespace OllamaMax.Edge.Ollama;

/// <summary>A field that names a model that is to be changed; the older spelling is read where the newer one is absent.</summary>
internal static class ModelNameField
{
    public static ModelName? Read(JsonFields request, string field, string? older = null)
    {
        string text = request.Text(field) is { Length: > 0 } newer ? newer : older is null ? "" : request.Text(older) ?? "";
        if (text.Length == 0)
            request.Errors.Add(field, "is required");
        else if (ModelName.TryParse(text, out ModelName? name, out string? error))
            return name;
        else
            request.Errors.Add(ApiError.BadRequest(error));
        return null;
    }
}
