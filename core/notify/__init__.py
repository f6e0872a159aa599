"""Tell people and programs elsewhere: by e-mail, webhook or chat, once, and with nothing lost.

`service.Notify` is what others use. What is sent is first kept (`records`), then delivered by a
job (`delivery`) over the channels that people set up; `channels/` has a file for each kind.
"""
