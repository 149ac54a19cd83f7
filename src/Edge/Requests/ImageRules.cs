using OllamaMax.Edge.Http;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Requests;

/// <summary>Which models are sent images, and how many and how large ones.</summary>
internal static class ImageRules
{
    /// <summary>The request as the model can be asked it. Where that takes no images those in results of tools are left out, and others are an error.</summary>
    public static Result<InferenceRequest> Apply(InferenceRequest request, ModelView model, EdgeOptions options)
    {
        if (!request.Messages.Any(HasImages))
            return request;
        if (model.Forwarded?.TakesImages != true)
            return request.Messages.Any(message => HasImages(message) && message.Role != "tool") ? Refusal(request, model) : LeaveOut(request);
        ChatImage[] images = [.. request.Messages.SelectMany(message => message.Images)];
        if (images.Length > options.MaxImages)
            return ApiError.BadRequest($"the request has {images.Length} images: it may have {options.MaxImages}") with { Field = "messages" };
        if (Array.Find(images, image => image.Data.Length > options.MaxImageBytes) is { } large)
            return ApiError.BadRequest($"the request has an image of {large.Data.Length} bytes: one may have {options.MaxImageBytes}") with { Field = "messages" };
        return request;
    }

    /// <summary>The request with words in the place of its images.</summary>
    public static InferenceRequest LeaveOut(InferenceRequest request) =>
        request with { Messages = [.. request.Messages.Select(message => HasImages(message) ? LeaveOut(message) : message)] };

    private static ChatMessage LeaveOut(ChatMessage message) =>
        message with { Content = string.Join('\n', ChatPart.Of(message).Select(part => part.Image is null ? part.Text : LeftOut.Image)), Images = [] };

    private static bool HasImages(ChatMessage message) => message.Images.Count > 0;

    private static ApiError Refusal(InferenceRequest request, ModelView model) => ApiError.BadRequest(model.Forwarded is { TakesImages: null }
        ? $"\"{request.Model}\" takes no images yet: its worker is of a version that does not hand them on"
        : $"\"{request.Model}\" takes no images") with { Field = "messages" };
}
