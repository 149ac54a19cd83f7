using System.Text.Json;
using OllamaMax.Jobs;
using OllamaMax.Placement;

namespace OllamaMax.Core.Tests.Placement;

public sealed class PromptPrefixTests
{
    private static readonly string LongSystem = new('s', 4000);

    [Fact]
    public void OfChat_TurnsOfAConversation_AreAlike()
    {
        ChatMessage[] first = [new("system", LongSystem), new("user", "Hello")];
        ChatMessage[] later = [.. first, new("assistant", "Hello!"), new("user", "And now?")];

        Chat(first).IsContinued.ShouldBeFalse();
        Chat(later).ShouldBe(Chat(first) with { IsContinued = true });
    }

    [Fact]
    public void OfChat_ConversationsOverOneSystemPrompt_BeginAlikeAndAreTold()
    {
        PromptPrefix one = Chat(new("system", LongSystem), new("user", "Hello"));
        PromptPrefix other = Chat(new("system", LongSystem), new("user", "Good morning"));

        other.Beginning.ShouldBe(one.Beginning);
        other.Conversation.ShouldNotBe(one.Conversation);
    }

    [Fact]
    public void OfChat_SystemPromptOfAFewWords_IsNotWorthSharing() =>
        Chat(new("system", "You are helpful."), new("user", "Hello")).Beginning
            .ShouldNotBe(Chat(new("system", "You are helpful."), new("user", "Good morning")).Beginning);

    [Fact]
    public void OfChat_LongBeginningOfAUsersMessage_IsShared()
    {
        PromptPrefix one = Chat(new ChatMessage("user", LongSystem + "Is this good?"));
        PromptPrefix other = Chat(new ChatMessage("user", LongSystem + "Is that good?"));

        other.Beginning.ShouldBe(one.Beginning);
        other.Conversation.ShouldNotBe(one.Conversation);
    }

    [Fact]
    public void OfChat_Tools_BelongToTheBeginning()
    {
        JsonElement one = JsonElement.Parse("""{"type":"function","function":{"name":"one"}}""");
        JsonElement other = JsonElement.Parse("""{"type":"function","function":{"name":"other"}}""");
        ChatMessage[] messages = [new("user", "Hello")];

        PromptPrefix.OfChat(messages, [one]).ShouldBe(PromptPrefix.OfChat(messages, [one]));
        PromptPrefix.OfChat(messages, [one]).Beginning.ShouldNotBe(PromptPrefix.OfChat(messages, [other]).Beginning);
        PromptPrefix.OfChat(messages, [one]).Beginning.ShouldNotBe(PromptPrefix.OfChat(messages, []).Beginning);
    }

    [Fact]
    public void OfChat_SameTextDividedDifferently_IsAnother() =>
        Chat(new("system", "ab"), new("user", "c")).ShouldNotBe(Chat(new("system", "a"), new("user", "bc")));

    [Fact]
    public void OfText_GrowingText_KeepsItsHashForAWhile()
    {
        string text = new string('a', 1500) + new string('b', 500);

        PromptPrefix.OfText(text + new string('c', 40)).ShouldBe(PromptPrefix.OfText(text[..1900]));
        PromptPrefix.OfText(text + new string('c', 3000)).Beginning.ShouldBe(PromptPrefix.OfText(text).Beginning);
        PromptPrefix.OfText("one").ShouldNotBe(PromptPrefix.OfText("two"));
    }

    [Fact]
    public void Of_Nothing_IsNone()
    {
        PromptPrefix.OfText("").IsNone.ShouldBeTrue();
        PromptPrefix.OfChat([], []).IsNone.ShouldBeTrue();
        PromptPrefix.OfText("a").IsNone.ShouldBeFalse();
    }

    /// <summary>Edges of different versions and starts must agree, or each would send a conversation elsewhere: a change of these values moves every conversation once.</summary>
    [Fact]
    public void OfChat_Always_IsTheSameInEveryProcess() =>
        Chat(new("system", LongSystem), new("user", "Hello")).ShouldBe(new PromptPrefix(5766898664559428456, 2071009928238968549));

    [Fact]
    public void Within_AnotherPartition_HasNothingInCommon()
    {
        PromptPrefix prompt = Chat(new("system", LongSystem), new("user", "Hello"), new("assistant", "Hi"));

        PromptPrefix own = prompt.Within("own");

        own.ShouldBe(prompt.Within("own"));
        own.Beginning.ShouldNotBe(prompt.Within("other").Beginning);
        own.Conversation.ShouldNotBe(prompt.Within("other").Conversation);
        own.IsContinued.ShouldBeTrue();
        default(PromptPrefix).Within("own").IsNone.ShouldBeTrue();
    }

    private static PromptPrefix Chat(params ChatMessage[] messages) => PromptPrefix.OfChat(messages, []);
}
