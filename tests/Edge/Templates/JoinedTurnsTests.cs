using OllamaMax.Edge.Templates;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Templates;

public sealed class JoinedTurnsTests
{
    [Fact]
    public void Of_NeighboursOfOneRole_AreOneMessage() =>
        Joined(new("system", "a"), new("system", "b"), new("user", "c"), new("user", ""), new("user", "d"), new("assistant", "e"), new("system", "f"), new("user", "g"))
            .ShouldBe(["system a\n\nb", "user c\n\n\n\nd", "assistant e", "system f", "user g"]);

    [Fact]
    public void Of_WhatHasMoreThanAText_StaysByItself()
    {
        ChatMessage thought = new("assistant", "b") { Thinking = "hm" };
        ChatMessage call = new("assistant", "c") { ToolCalls = [TemplateModels.Call] };

        Joined(new("assistant", "a"), thought, call, new("assistant", "d"), new("tool", "1"), new("tool", "2"), new("control", "x"), new("control", "y"))
            .ShouldBe(["assistant a", "assistant b", "assistant c", "assistant d", "tool 1", "tool 2", "control x", "control y"]);
    }

    private static IEnumerable<string> Joined(params ChatMessage[] messages) => JoinedTurns.Of(messages).Select(message => $"{message.Role} {message.Content}");
}
