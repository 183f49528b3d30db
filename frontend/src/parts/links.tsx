/** Mantine's looks on the router's links: typed addresses, no page reload. */
import { Anchor, type AnchorProps, Button, type ButtonProps, NavLink, type NavLinkProps } from '@mantine/core'
import { createLink } from '@tanstack/react-router'
import type { Ref } from 'react'

type WithRef<P> = P & { ref?: Ref<HTMLAnchorElement> }

export const AnchorLink = createLink((props: WithRef<AnchorProps>) => <Anchor {...props} />)
export const ButtonLink = createLink((props: WithRef<ButtonProps>) => <Button component="a" {...props} />)
export const NavItem = createLink((props: WithRef<NavLinkProps>) => <NavLink component="a" {...props} />)
